"""What stands for a missing value in a CSV table, and words that are no labels among numbers."""

import pytest

from synthetic import Sample, read_data


def written(path, *rows, header="A,B"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize("word", ["?", ".", "na", "NA", "n/a", "null", "None", "1.#QNAN", " NA "])
@pytest.mark.parametrize(
    "others", [["yes", "no"], ["1", "0"], ["0.5", "1.5"]], ids=["words", "ints", "floats"]
)
def test_missing_values_are_refused_by_row_and_word(tmp_path, word, others):
    path = written(tmp_path / "t.csv", *(f"{entry},1" for entry in (others[0], word, others[1])))
    with pytest.raises(
        ValueError, match="column 'A' has 1 missing values, the first in row 1, which is"
    ) as told:
        read_data(path, columns=["A"])
    assert repr(word.strip()) in str(told.value)


@pytest.mark.parametrize("word", ["-", "none", "NONE", "missing", "Na", "unknown", "?!"])
def test_every_other_word_is_a_state(tmp_path, word):
    entries = [word, "+", "mild", word]
    path = written(tmp_path / "t.csv", *(f"{entry},1" for entry in entries))
    assert (
        read_data(path, columns=["A"]).metadata["levels"] == Sample.infer({"A": entries}).metadata["levels"]
    )


STRAY = {
    "a footer": ([*"01" * 10, "Total"], "row 20 is 'Total'"),
    "units": (["kg", *"01" * 10], "row 0 is 'kg'"),
    "two words": ([*"01" * 10, "Total", "Mean"], "row 20 is 'Total'"),
    "the name of the column, often": ((["A", *"01" * 10]) * 5, "row 0 is 'A'"),
}


@pytest.mark.parametrize(("entries", "message"), STRAY.values(), ids=STRAY)
def test_a_word_among_integers_is_refused(tmp_path, entries, message):
    path = written(tmp_path / "t.csv", *entries, header="A")
    with pytest.raises(ValueError, match=f"column 'A' mixes numbers and text: {message}"):
        read_data(path, columns=["A"])


NAMES = {
    "few rows": ["1", "2", "10a"],
    "many words": [*"12" * 20, "X", "Y", "X"],
    "words alone": ["A", "B", "A"],
    "one column whose name is a label": ["A", "B", "A"] * 10,
}


@pytest.mark.parametrize("entries", NAMES.values(), ids=NAMES)
def test_integers_beside_more_words_are_names(tmp_path, entries):
    path = written(tmp_path / "t.csv", *entries, header="A")
    assert read_data(path, columns=["A"]).variables["A"].cardinality == len(set(entries))


@pytest.mark.parametrize("wanted", ["A", "B"])
def test_a_header_within_the_table_is_refused_whichever_column_is_asked_for(tmp_path, wanted):
    rows = [f"{word},{i % 2}" for i, word in enumerate(["yes", "no"] * 20)]
    path = written(tmp_path / "t.csv", *rows, "A,B", *rows)
    with pytest.raises(ValueError, match="its header is repeated 1 times, first in row 40"):
        read_data(path, columns=[wanted])


def test_a_label_that_is_the_name_of_its_column_is_no_header(tmp_path):
    path = written(tmp_path / "t.csv", "A,yes", "other,B", "A,no")
    assert read_data(path, columns=["A"])["A"].tolist() == [0, 1, 0]
