"""The papers behind rules and attacks, for CITATION.bib and the report.

Keys are what the tables of strategies and attacks give as `paper`: an arXiv id or a short citation.
Braces in titles keep capitals; they are not shown to readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulations.fl.attacks import ATTACKS
from simulations.fl.strategies import STRATEGIES

HEADER = "% Papers of the aggregation rules and attacks of this simulation.\n"


@dataclass(frozen=True)
class Paper:
    """A BibTeX entry; `venue` is the journal of an article, the book of a talk."""

    key: str
    authors: str
    title: str
    year: int
    kind: str = "misc"
    venue: str = ""
    arxiv: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


PAPERS: dict[str, Paper] = {
    "1602.05629": Paper(
        key="mcmahan2017communication",
        authors="McMahan, H. Brendan and Moore, Eider and Ramage, Daniel and Hampson, Seth "
        "and Agüera y Arcas, Blaise",
        title="Communication-Efficient Learning of Deep Networks from Decentralized Data",
        year=2017,
        kind="inproceedings",
        venue="Artificial Intelligence and Statistics (AISTATS)",
        arxiv="1602.05629",
        details={"pages": "1273--1282"},
    ),
    "1703.02757": Paper(
        key="blanchard2017machine",
        authors="Blanchard, Peva and El Mhamdi, El Mahdi and Guerraoui, Rachid and Stainer, Julien",
        title="Machine Learning with Adversaries: {Byzantine} Tolerant Gradient Descent",
        year=2017,
        kind="inproceedings",
        venue="Advances in Neural Information Processing Systems (NeurIPS)",
        arxiv="1703.02757",
        details={"pages": "119--129", "note": "On arXiv as {Byzantine}-Tolerant Machine Learning"},
    ),
    "1803.01498": Paper(
        key="yin2018byzantine",
        authors="Yin, Dong and Chen, Yudong and Ramchandran, Kannan and Bartlett, Peter",
        title="{Byzantine}-Robust Distributed Learning: Towards Optimal Statistical Rates",
        year=2018,
        kind="inproceedings",
        venue="International Conference on Machine Learning (ICML)",
        arxiv="1803.01498",
        details={"pages": "5650--5659"},
    ),
    "1912.13445": Paper(
        key="pillutla2022robust",
        authors="Pillutla, Krishna and Kakade, Sham M. and Harchaoui, Zaid",
        title="Robust Aggregation for Federated Learning",
        year=2022,
        kind="article",
        venue="IEEE Transactions on Signal Processing",
        arxiv="1912.13445",
        details={
            "volume": "70",
            "pages": "1142--1154",
            "doi": "10.1109/TSP.2022.3153135",
        },
    ),
    "1802.07927": Paper(
        key="elmhamdi2018hidden",
        authors="El Mhamdi, El Mahdi and Guerraoui, Rachid and Rouault, Sébastien",
        title="The Hidden Vulnerability of Distributed Learning in {Byzantium}",
        year=2018,
        kind="inproceedings",
        venue="International Conference on Machine Learning (ICML)",
        arxiv="1802.07927",
        details={"pages": "3521--3530"},
    ),
    "2505.17226": Paper(
        key="yang2025secure",
        authors="Yang, Kun and Imam, Neena",
        title="Secure and Private Federated Learning: Achieving Adversarial Resilience through "
        "Robust Aggregation",
        year=2025,
        arxiv="2505.17226",
    ),
    "1708.06733": Paper(
        key="gu2017badnets",
        authors="Gu, Tianyu and Dolan-Gavitt, Brendan and Garg, Siddharth",
        title="{BadNets}: Identifying Vulnerabilities in the Machine Learning Model Supply Chain",
        year=2017,
        arxiv="1708.06733",
    ),
    "1807.00459": Paper(
        key="bagdasaryan2020backdoor",
        authors="Bagdasaryan, Eugene and Veit, Andreas and Hua, Yiqing and Estrin, Deborah "
        "and Shmatikov, Vitaly",
        title="How To Backdoor Federated Learning",
        year=2020,
        kind="inproceedings",
        venue="Artificial Intelligence and Statistics (AISTATS)",
        arxiv="1807.00459",
        details={"pages": "2938--2948"},
    ),
    "1811.12470": Paper(
        key="bhagoji2019analyzing",
        authors="Bhagoji, Arjun Nitin and Chakraborty, Supriyo and Mittal, Prateek "
        "and Calo, Seraphin",
        title="Analyzing Federated Learning through an Adversarial Lens",
        year=2019,
        kind="inproceedings",
        venue="International Conference on Machine Learning (ICML)",
        arxiv="1811.12470",
        details={"pages": "634--643"},
    ),
    "1903.03936": Paper(
        key="xie2019fall",
        authors="Xie, Cong and Koyejo, Oluwasanmi and Gupta, Indranil",
        title="Fall of Empires: Breaking {Byzantine}-tolerant {SGD} by Inner Product Manipulation",
        year=2019,
        kind="inproceedings",
        venue="Uncertainty in Artificial Intelligence (UAI)",
        arxiv="1903.03936",
        details={"pages": "261--270"},
    ),
    "1903.12261": Paper(
        key="hendrycks2019benchmarking",
        authors="Hendrycks, Dan and Dietterich, Thomas",
        title="Benchmarking Neural Network Robustness to Common Corruptions and Perturbations",
        year=2019,
        kind="inproceedings",
        venue="International Conference on Learning Representations (ICLR)",
        arxiv="1903.12261",
    ),
    "1911.11815": Paper(
        key="fang2020local",
        authors="Fang, Minghong and Cao, Xiaoyu and Jia, Jinyuan and Gong, Neil Zhenqiang",
        title="Local Model Poisoning Attacks to {Byzantine}-Robust Federated Learning",
        year=2020,
        kind="inproceedings",
        venue="USENIX Security Symposium",
        arxiv="1911.11815",
        details={"pages": "1605--1622"},
    ),
    "2007.08432": Paper(
        key="tolpegin2020data",
        authors="Tolpegin, Vale and Truex, Stacey and Gursoy, Mehmet Emre and Liu, Ling",
        title="Data Poisoning Attacks Against Federated Learning Systems",
        year=2020,
        kind="inproceedings",
        venue="European Symposium on Research in Computer Security (ESORICS)",
        arxiv="2007.08432",
        details={"pages": "480--501"},
    ),
    "Alber et al. 2025": Paper(
        key="alber2025medical",
        authors="Alber, Daniel Alexander and Yang, Zihao and Alyakin, Anton and others",
        title="Medical Large Language Models are Vulnerable to Data-Poisoning Attacks",
        year=2025,
        kind="article",
        venue="Nature Medicine",
        details={"volume": "31", "pages": "618--626", "doi": "10.1038/s41591-024-03445-1"},
    ),
}


def used(configs: Iterable[Mapping[str, Any]]) -> list[Paper]:
    """Return the papers of the rules and attacks that these configurations name, each once."""
    ids: dict[str, None] = {}
    for config in configs:
        ids.setdefault(STRATEGIES[config["aggregation_strategy_keyword"]].paper)
        for entry in config["attack_schedule"]:
            ids.setdefault(ATTACKS[entry["attack_type"]].paper)
    return [PAPERS[paper_id] for paper_id in ids if paper_id]


def bibtex(papers: Iterable[Paper]) -> str:
    return HEADER + "".join(f"\n{_entry(paper)}" for paper in papers)


def reference(paper: Paper) -> str:
    """Return the paper as a line in a list of references."""
    title = paper.title.replace("{", "").replace("}", "")
    names = " and ".join(_initialled(name) for name in paper.authors.split(" and "))
    names = names.replace(" and ", ", ", names.count(" and ") - 1).replace("and others", "et al.")
    venue = f"{paper.venue}, " if paper.venue else ""
    arxiv = f" arXiv:{paper.arxiv}." if paper.arxiv else ""
    doi = f" doi:{paper.details['doi']}." if "doi" in paper.details else ""
    return f"{names}. {title}. {venue}{paper.year}.{arxiv}{doi}"


def _entry(paper: Paper) -> str:
    venue = {"article": "journal", "inproceedings": "booktitle"}.get(paper.kind)
    fields = {"author": paper.authors, "title": paper.title, "year": str(paper.year)}
    if venue:
        fields[venue] = paper.venue
    fields |= paper.details
    if paper.arxiv:
        fields |= {"eprint": paper.arxiv, "archivePrefix": "arXiv"}
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{paper.kind}{{{paper.key},", *lines, "}"]) + "\n"


def _initialled(name: str) -> str:
    """Turn `McMahan, H. Brendan` into `H. B. McMahan`."""
    family, _, given = name.partition(", ")
    initials = " ".join(f"{part[0]}." for part in given.split())
    return f"{initials} {family}".strip()
