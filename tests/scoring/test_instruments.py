"""Scales, built in and from files, and their bands."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ScoringError
from harness.scoring import GAD7, MADRS, Band, BandTable, Instrument, Item, built_in, exact, read_instrument

TRIES = settings(max_examples=40, deadline=None)


def bands(*limits):
    return tuple(Band(label=f"band {low}", lowest=low, highest=high) for low, high in limits)


def test_the_built_in_scales_have_their_published_ranges():
    assert [(len(scale.items), scale.total) for scale in (MADRS, GAD7)] == [(10, (0, 60)), (7, (0, 21))]
    assert (MADRS.remission, GAD7.remission, MADRS.relapse, GAD7.relapse) == (10, 4, 22, None)
    assert (MADRS.recall_days, GAD7.recall_days) == (7, 14)
    assert MADRS.items[9].label == "suicidal thoughts"
    assert built_in("gad7") is GAD7
    with pytest.raises(ScoringError, match="Did you mean 'madrs'"):
        built_in("madr")


def test_a_subscale_is_a_scale_of_some_items_of_which_none_may_be_missing():
    anhedonia = MADRS.subscale("anhedonia")
    assert anhedonia.item_names == ("madrs_1", "madrs_2", "madrs_6", "madrs_7", "madrs_8")
    assert (anhedonia.total, anhedonia.least_answered, anhedonia.recall_days) == ((0, 30), None, 7)
    with pytest.raises(ScoringError, match="anhedonia"):
        MADRS.subscale("anhedonic")


@pytest.mark.parametrize("scale", [MADRS, GAD7], ids=lambda scale: scale.name)
def test_bands_partition_the_scale(scale):
    for score in range(scale.lowest, scale.highest + 1):
        inside = [band.label for band in scale.bands.bands if band.lowest <= score <= band.highest]
        assert inside == [scale.bands.label(exact(score))]


@pytest.mark.parametrize(
    ("scale", "opened"),
    [(MADRS, {7: "mild", 20: "moderate", 35: "severe"}), (GAD7, {5: "mild", 10: "moderate", 15: "severe"})],
    ids=["madrs", "gad7"],
)
def test_each_cut_belongs_to_the_upper_band(scale, opened):
    for cut, label in opened.items():
        assert scale.bands.label(exact(cut)) == label
        assert scale.bands.label(exact(cut - 0.1)) == scale.bands.label(exact(cut - 1)) != label


def test_a_missing_score_has_no_band_and_one_off_the_scale_is_refused():
    assert MADRS.bands.label(None) is None
    with pytest.raises(ScoringError, match="outside all bands"):
        MADRS.bands.label(exact(61))


@TRIES
@given(st.lists(st.integers(1, 59), unique=True, max_size=6))
def test_any_increasing_cuts_make_a_table_that_covers_the_scale_once(cuts):
    edges = [0, *sorted(cuts), 61]
    table = BandTable(name="own", bands=bands(*((low, high - 1) for low, high in pairwise(edges))))
    labels = [table.label(exact(score)) for score in range(61)]
    assert labels == [f"band {max(edge for edge in edges if edge <= score)}" for score in range(61)]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ([(0, 6), (8, 60)], "a gap between 'band 0', which ends at 6, and 'band 8' at 8"),
        ([(0, 7), (7, 60)], "'band 7' from 7 on, but 'band 0' ends at 7"),
        ([(7, 60), (0, 6)], "'band 0' from 0 on, but 'band 7' ends at 60"),
        ([(0, 6), (7, 3)], "lowest <= highest"),
        ([(0, 6.5), (7, 60)], "a whole number"),
        ([(0, 6), (0, 6)], "more than once"),
        ([], "no bands"),
    ],
)
def test_bands_with_gaps_or_overlaps_are_refused(limits, message):
    with pytest.raises(ScoringError, match=message):
        BandTable(name="own", bands=bands(*limits))


def test_bands_must_cover_their_scale():
    with pytest.raises(ScoringError, match="bands from 0 to 59; expected bands from 0 to 60"):
        replace(MADRS, bands=BandTable(name="own", bands=bands((0, 59))))


def test_a_scale_that_contradicts_itself_is_refused_with_all_that_is_wrong():
    with pytest.raises(ScoringError) as caught:
        replace(GAD7, remission=22, relapse=True, least_answered=8, subscales={"worry": ("gad7_2", "gad7_20")})
    assert [problem.found for problem in caught.value.problems] == [
        "remission 22",
        "relapse True",
        "least_answered 8",
        "item 'gad7_20' in subscale 'worry'",
    ]


def test_items_with_different_ranges_are_never_prorated():
    items = (Item(name="a", lowest=0, highest=1), Item(name="b", lowest=0, highest=10))
    assert Instrument(name="own", items=items).total == (0, 11)
    with pytest.raises(ScoringError, match="different ranges"):
        Instrument(name="own", items=items, least_answered=1)


SCALE = """
name = "state_anxiety"
rater = "self"
recall_days = 0
remission = 5

[items]
names = ["calm", "tense", "upset"]
range = [1, 4]
ranges = { upset = [1, 4] }
reversed = ["calm"]
labels = { calm = "I feel calm" }

[missing]
least_answered = 2

[bands]
name = "our own"
ranges = { low = [3, 6], high = [7, 12] }

[subscales]
distress = ["tense", "upset"]
"""


def test_a_scale_is_read_from_its_file(tmp_path):
    path = tmp_path / "scale.toml"
    path.write_text(SCALE, encoding="utf-8")
    items = (
        Item(name="calm", lowest=1, highest=4, reversed=True, label="I feel calm"),
        Item(name="tense", lowest=1, highest=4),
        Item(name="upset", lowest=1, highest=4),
    )
    assert read_instrument(path) == Instrument(
        name="state_anxiety",
        items=items,
        total=(3, 12),
        bands=BandTable(
            name="our own",
            bands=(Band(label="low", lowest=3, highest=6), Band(label="high", lowest=7, highest=12)),
        ),
        least_answered=2,
        remission=5,
        rater="self",
        recall_days=0,
        subscales={"distress": ("tense", "upset")},
    )


def test_a_scale_of_totals_needs_two_lines_and_takes_its_name_from_the_file(tmp_path):
    path = tmp_path / "bdi.toml"
    path.write_text("total = [0, 63]\nremission = 13\n", encoding="utf-8")
    assert read_instrument(path) == Instrument(name="bdi", total=(0, 63), remission=13)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("recall_days = 0", 'recall_days = "0"', "column 'recall_days': '0'; expected a whole number"),
        ("remission = 5", "remision = 5", "column 'remision': unknown key"),
        ("range = [1, 4]", "range = [4]", "column 'items.range'"),
        ('reversed = ["calm"]', 'reversed = ["clam"]', "item 'clam'; expected one of items.names. Did you mean 'calm'"),
        ("low = [3, 6]", "low = [3, 7]", "bands 'our own': 'high' from 7 on, but 'low' ends at 7"),
        ("low = [3, 6]", "low = [2, 6]", "bands from 2 to 12; expected bands from 3 to 12"),
        ("least_answered = 2", "least_answered = 4", "least_answered 4; expected a whole number from 1 to 3"),
        ('name = "state_anxiety"', "name = state_anxiety", "expected TOML"),
    ],
)
def test_a_file_that_states_no_scale_is_refused(tmp_path, before, after, message):
    path = tmp_path / "scale.toml"
    assert before in SCALE
    path.write_text(SCALE.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(ScoringError) as caught:
        read_instrument(path)
    assert message in str(caught.value)
    assert "scale.toml" in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(ScoringError, match="expected a scale in TOML"):
        read_instrument(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(ScoringError, match="not UTF-8"):
        read_instrument(tmp_path / "latin.toml")
