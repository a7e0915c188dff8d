"""The options of a build as the Data screen offers them.

An option is a pair (flag without dashes, value), as `ila build` takes it; what equals the default
is left out, so that the shown command and the manifest stay short.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from ila_core import skills
from ila_core.errors import IlaError, UsageError
from ila_core.pool.records import Preview
from jobs import folders
from parts.notices import trouble

Options = dict[str, str]
LOSSES = {
    "ngram": ("n-gram model", "Trained on the pool itself. No download, no GPU; seconds."),
    "lm": ("a language model", "The loss of the model that you are about to train. Minutes on a "
           "GPU; without one hours for a large model, minutes for a small one."),
    "column": ("a column", "A loss per token that your records carry already. Free."),
    "none": ("none", "No depth: the selection is by coverage alone. Free."),
}  # fmt: skip
DEPTHS = {
    "loss": ("loss × skills", "How much of the response the model did not expect. Free."),
    "loss-reduction": ("what tuning takes off it", "The loss less that of the same model tuned on "
                       "a part of the pool: ila tune makes one. Takes twice the time."),
    "column": ("a column", "A depth that your records carry already. Free."),
}  # fmt: skip
LABELS = {
    "auto": ("as the pool has them", "A labels, skills or tags field if there is one. Free."),
    "taxonomy": ("named skills", ""),
    "column": ("a column", "Labels from a field you name. Free."),
    "endpoint": ("a server of yours", "Asks an OpenAI-compatible server for tags: one request a "
                 "record, sent to the address you give."),
    "none": ("none", "Every record counts one skill. Free."),
}  # fmt: skip
ENCODERS = {
    "static": ("shipped static encoder", "Fast on any machine, nothing to download."),
    "minilm": ("all-MiniLM-L6-v2", "Finer. Needs the extra package; about 100 times slower."),
    "other": ("another model", "A sentence-transformers id or folder. An id is downloaded."),
    "file": ("vectors in a file", "A .npy of shape (records, d) on this machine. Free."),
}
PROJECTIONS = {
    "umap": ("UMAP", "Neighbourhoods kept; about a minute for 75,000 records."),
    "pca": ("PCA", "Seconds at any size; regions overlap."),
    "tsne": ("t-SNE", "Needs the extra package; slower than UMAP."),
}
DEVICES = ("auto", "cpu", "cuda", "mps")
DEFAULTS = {
    "encoder": "static",
    "projection": "umap",
    "seed": "0",
    "loss": "ngram",
    "depth": "loss",
    "max-length": "4096",
    "device": "auto",
    "labels": "auto",
    "domains": "auto",
}


def choose(preview: Preview, *, bare: bool) -> Options | None:
    """Offer the stages' options; the defaults need no network. None while one is incomplete.

    `bare` says that the pool has instructions only.
    """
    chosen: Options = {}
    missing: list[str] = []
    with st.expander("Options: the defaults need no network", icon=":material/tune:"):
        left, right = st.columns(2, gap="large")
        try:
            with left:
                encoder_options(chosen, missing)
                chosen["projection"] = choice("Projection", PROJECTIONS)
                label_options(chosen, missing, preview)
                domains = st.selectbox(
                    "Domains",
                    ["automatic", "by labels", *preview.fields],
                    key="domains",
                    help="Relative depth ranks a record within its domain. Automatic groups alike "
                    "instructions.",
                )
                chosen["domains"] = domain_option(domains)
                seed = st.number_input("Seed", min_value=0, step=1, key="build_seed")
                chosen["seed"] = str(seed)
            with right:
                loss_options(chosen, missing, preview, bare)
        except IlaError as error:
            trouble(error)
            return None
    if missing:
        st.info(f"Still needed: {', '.join(missing)}.", icon=":material/edit:")
        return None
    return {name: value for name, value in chosen.items() if value != DEFAULTS.get(name)}


def encoder_options(chosen: Options, missing: list[str]) -> None:
    encoder = choice("Encoder", ENCODERS)
    if encoder == "other":
        name = st.text_input("Model id or folder", key="encoder_name")
        need(chosen, missing, "encoder", model_at(name), "a model for the encoder")
    elif encoder == "file":
        name = st.text_input("File of vectors", placeholder="vectors.npy", key="vectors_file")
        path = str(folders.allowed(name)) if name.strip() else ""
        need(chosen, missing, "embeddings", path, "the file of vectors")
    else:
        chosen["encoder"] = encoder


def loss_options(chosen: Options, missing: list[str], preview: Preview, bare: bool) -> None:
    """Who supplies the loss, what is made of it, and how a language model is run."""
    loss = choice("Depth: who supplies the loss", LOSSES, start="none" if bare else "ngram")
    chosen["loss"] = loss
    if loss == "column":
        chosen["loss"] = f"column:{column('Loss column', preview, 'loss')}"
    if loss == "lm":
        name = st.text_input("Model id or folder", key="loss_model")
        need(chosen, missing, "lm", model_at(name), "a model for the loss")
    offered = dict(DEPTHS)
    if loss != "lm":
        del offered["loss-reduction"]
    depth = choice("Depth is", offered)
    chosen["depth"] = depth
    if depth == "column":
        chosen["depth"] = f"column:{column('Depth column', preview, 'depth')}"
    if depth == "loss-reduction":
        name = st.text_input("Tuned model: id or folder", key="tuned_model")
        need(chosen, missing, "tuned-lm", model_at(name), "the tuned model")
    if loss == "lm":
        if st.checkbox(
            "Also the loss without the instruction",
            key="unconditional",
            help="The method ifd compares the two. Takes a little longer.",
        ):
            chosen["unconditional"] = ""
        length, device = st.columns(2)
        chosen["max-length"] = str(
            length.number_input(
                "Tokens of a record", min_value=8, value=4096, step=256, key="max_length",
                help="A longer one is cut: its response and the nearest context are kept, and the "
                "build says how many were.",
            )
        )  # fmt: skip
        chosen["device"] = str(
            device.selectbox(
                "Device", DEVICES, key="device", accept_new_options=True,
                help="Automatic takes every GPU there is. Several by commas: cuda:0,cuda:1.",
            ) or "auto"
        )  # fmt: skip


def label_options(chosen: Options, missing: list[str], preview: Preview) -> None:
    words = {**LABELS, "taxonomy": (LABELS["taxonomy"][0], taxonomy_words())}
    labels = choice("Labels", words)
    chosen["labels"] = labels
    if labels == "column":
        chosen["labels"] = f"column:{column('Labels column', preview, 'labels')}"
    if labels == "endpoint":
        url = st.text_input("Server", placeholder="http://localhost:8000", key="label_url")
        model = st.text_input("Model", key="label_model")
        need(chosen, missing, "labels-url", url.strip(), "the server")
        need(chosen, missing, "labels-model", model.strip(), "its model")
        st.caption(
            f"A key is read from {skills.KEY_VARIABLE} where this page was started; it is written "
            "nowhere."
        )


def taxonomy_words() -> str:
    calibration = skills.shipped_calibration()
    return (
        "Likeness to a shipped list of skills; seconds. On labelled records "
        f"{calibration['precision']:.0%} of them were right and {calibration['recall']:.0%} were "
        "found: good for naming places, not for weighing depth."
    )


def need(chosen: Options, missing: list[str], name: str, value: str, what: str) -> None:
    """Take an option that must be given, or note what is missing."""
    if value:
        chosen[name] = value
    else:
        missing.append(what)


def model_at(text: str) -> str:
    """Return a model's id as it stands, a folder as its whole path; UsageError if out of bounds."""
    text = text.strip()
    if not text or not (text[0] in "/~." or Path(text).is_dir()):
        return text
    folder = folders.allowed(text)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name the folder of a model or its id.")
    return str(folder)


def choice(label: str, options: Mapping[str, tuple[str, str]], start: str | None = None) -> str:
    """Draw one option with a line under it on what it costs."""
    names = list(options)
    chosen = st.selectbox(
        label,
        names,
        index=names.index(start) if start else 0,
        format_func=lambda name: options[name][0],
        key=f"option_{label}_{start}_{len(names)}",
    )
    st.caption(options[chosen][1])
    return chosen


def column(label: str, preview: Preview, likely: str) -> str:
    start = preview.fields.index(likely) if likely in preview.fields else 0
    return str(st.selectbox(label, preview.fields, index=start, key=f"column_{label}"))


def domain_option(chosen: str) -> str:
    return {"automatic": "auto", "by labels": "labels"}.get(chosen, f"column:{chosen}")
