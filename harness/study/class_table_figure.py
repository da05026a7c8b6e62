"""A figure of classes by classes, one square a cell."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from harness.arrays import Matrix
from harness.study.pictures import picture_of
from harness.study.section import Picture
from harness.suppression import SafeTable

_HALF = 0.5


def class_table_picture(counts: Matrix, safe: SafeTable, names: tuple[str, str]) -> Picture:
    """Return the table of counts as shades of each row's share; withheld cells have none.

    Parameters
    ----------
    counts
        Of patients, (J, K); only cells that `safe` shows are drawn.
    safe
        The same as it may be shown.
    names
        Of both scales.
    """
    J, K = counts.shape
    shown = np.array([[cell is not None for cell in cells] for cells in safe.cells])
    margins_shown = np.array([margin is not None for margin in safe.rows])
    shares = np.where(shown & margins_shown[:, None], counts / counts.sum(axis=1, keepdims=True), np.nan)
    figure = Figure(figsize=(1.1 * K + 1.8, 0.8 * J + 1.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlim(-_HALF, K - _HALF)
    axes.set_ylim(J - _HALF, -_HALF)
    told = []
    for j, texts in enumerate(safe.texts()):
        for k, text in enumerate(texts):
            share = shares[j, k]
            shade = "white" if np.isnan(share) else str(1 - 0.6 * share)
            axes.add_patch(_square(j, k, shade))
            axes.text(k, j, text, ha="center", va="center", fontsize="small")
            if shown[j, k]:
                told.append(f"{names[0]} class {j + 1} with {names[1]} class {k + 1}: {text}")
    axes.set_xticks(range(K), [f"class {k + 1}" for k in range(K)])
    axes.set_yticks(range(J), [f"class {j + 1}" for j in range(J)])
    axes.set_xlabel(names[1])
    axes.set_ylabel(names[0])
    return picture_of(
        figure,
        name="classes-table",
        caption=f"Patients by most probable class on {names[0]} and {names[1]}; darker: a larger share of the row.",
        description=f"A table of squares, white where a count is withheld. {'; '.join(told)}.",
    )


def _square(j: int, k: int, shade: str) -> Rectangle:
    return Rectangle((k - _HALF, j - _HALF), 1, 1, facecolor=shade, edgecolor="0.6", linewidth=0.8)
