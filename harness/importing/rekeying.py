"""New labels for subjects, which nothing but a file that the user asks for connects with the old ones."""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path


def new_labels(rows: Mapping[str, Sequence[str]], details: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return a label for each subject, S001 and so on, in an order that depends on the values of its rows alone.

    Neither the old labels nor the order of the file decide, so relabelled and shuffled files give equal cohorts; and
    the order is that of a hash, so a label says nothing about when a subject came or how it fared.

    Parameters
    ----------
    rows
        The texts of each subject's rows.
    details
        Further texts, which tell apart subjects whose rows are equal.
    """
    order = sorted(rows, key=lambda subject: (_digest(rows[subject]), _digest(details[subject]), subject))
    width = max(3, len(str(len(rows))))
    return {subject: f"S{number:0{width}d}" for number, subject in enumerate(order, start=1)}


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\x1e".join(sorted(texts)).encode()).hexdigest()


def write_keys(path: Path, labels: Mapping[str, str]) -> None:
    """Write old and new labels to a file that does not exist yet.

    Raises
    ------
    FileExistsError
        There is such a file: keys of an earlier import are never lost.
    """
    with path.open("x", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("subject", "original"))
        writer.writerows(sorted((label, original) for original, label in labels.items()))
