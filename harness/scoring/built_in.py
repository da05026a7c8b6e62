"""The scales that need no file: MADRS and GAD-7.

Their bands are a table that a caller may replace (``dataclasses.replace(MADRS, bands=...)``). No official rule for
missing items could be verified for either scale; how many must be answered is an assumption of this project.
"""

from harness.errors import Problem, ScoringError, nearest
from harness.scoring.bands import Band, BandTable
from harness.scoring.instrument import Instrument, Item

MADRS = Instrument(
    name="madrs",
    title="Montgomery-Asberg Depression Rating Scale",
    items=tuple(
        Item(name=f"madrs_{number}", lowest=0, highest=6, label=label)
        for number, label in enumerate(
            (
                "apparent sadness",
                "reported sadness",
                "inner tension",
                "reduced sleep",
                "reduced appetite",
                "concentration difficulties",
                "lassitude",
                "inability to feel",
                "pessimistic thoughts",
                "suicidal thoughts",
            ),
            start=1,
        )
    ),
    bands=BandTable(
        name="Snaith 1986, as quoted",
        bands=(
            Band(label="none", lowest=0, highest=6),
            Band(label="mild", lowest=7, highest=19),
            Band(label="moderate", lowest=20, highest=34),
            Band(label="severe", lowest=35, highest=60),
        ),
    ),
    least_answered=9,
    remission=10,
    relapse=22,
    rater="clinician",
    recall_days=7,
    subscales={"anhedonia": ("madrs_1", "madrs_2", "madrs_6", "madrs_7", "madrs_8")},
)

GAD7 = Instrument(
    name="gad7",
    title="Generalised Anxiety Disorder 7-item scale",
    items=tuple(
        Item(name=f"gad7_{number}", lowest=0, highest=3, label=label)
        for number, label in enumerate(
            (
                "nervous, anxious or on edge",
                "unable to stop or control worrying",
                "worrying too much",
                "trouble relaxing",
                "restless",
                "annoyed or irritable",
                "afraid of something awful",
            ),
            start=1,
        )
    ),
    bands=BandTable(
        name="Spitzer 2006, as quoted",
        bands=(
            Band(label="minimal", lowest=0, highest=4),
            Band(label="mild", lowest=5, highest=9),
            Band(label="moderate", lowest=10, highest=14),
            Band(label="severe", lowest=15, highest=21),
        ),
    ),
    least_answered=6,
    least_ever=5,
    remission=4,
    rater="self",
    recall_days=14,
)

BUILT_IN = {scale.name: scale for scale in (MADRS, GAD7)}


def built_in(name: str) -> Instrument:
    """Return a scale by its name, such as "madrs".

    Raises
    ------
    ScoringError
        No scale of this name is built in.
    """
    if name not in BUILT_IN:
        problem = Problem(found=f"scale {name!r}", expected=" or ".join(BUILT_IN), advice=nearest(name, BUILT_IN))
        raise ScoringError("scales that need no file", [problem])
    return BUILT_IN[name]
