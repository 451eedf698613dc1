"""Medical texts: sentences of abstracts by their role, abstracts, questions with answers."""

from __future__ import annotations

from datasets_app.catalog.spec import DatasetSpec, HubSource

# Some of its rows are headings of the file they were read from, with labels of their own.
PUBMED_CLASSIFICATION_20K = DatasetSpec(
    keyword="pubmed_classification_20k",
    title="PubMed RCT 20k, sentences of abstracts by role",
    source=HubSource("ml4pubmed/pubmed-classification-20k", keeps_first_classes=True),
    modality="text",
    num_classes=5,
    shape=(),
    num_train=0,
    num_test=0,
    licence="not stated; abstracts of PubMed",
    network="transformer",
    class_names=("BACKGROUND", "CONCLUSIONS", "METHODS", "OBJECTIVE", "RESULTS"),
    domain="medical",
)
MEDAL = DatasetSpec(
    keyword="medal",
    title="PubMed MEDLINE, titles and abstracts",
    source=HubSource("cyrilzakka/pubmed-medline", test_split=None),
    modality="text",
    num_classes=0,
    shape=(),
    num_train=0,
    num_test=0,
    licence="not stated; abstracts of PubMed",
    network="transformer",
    label_column=None,
    text_columns=("title", "content"),
    domain="medical",
)
MEDQUAD = DatasetSpec(
    keyword="medquad",
    title="MedQuAD, medical questions and answers",
    source=HubSource("lavita/MedQuAD", test_split=None),
    modality="text",
    num_classes=0,
    shape=(),
    num_train=0,
    num_test=0,
    licence="CC BY 4.0",
    network="transformer",
    label_column=None,
    text_columns=("question", "answer"),
    domain="medical",
)
