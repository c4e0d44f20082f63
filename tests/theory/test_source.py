"""The digest of the code: the same code, the same digest; any edit, another."""

import json

import pytest

from theory import source


@pytest.fixture
def storeys(tmp_path, monkeypatch):
    for name in ("theory", "synthetic", "synergy"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "module.py").write_text(f"{name} = 1\n")
    monkeypatch.setattr(source, "_ROOT", tmp_path)
    source.source_digest.cache_clear()
    yield tmp_path
    source.source_digest.cache_clear()


def again(*parts: object) -> str:
    source.source_digest.cache_clear()
    return source.source_digest(*parts)


@pytest.mark.parametrize("storey", ["theory", "synthetic", "synergy"])
def test_an_edit_in_any_storey_is_another_source(storeys, storey):
    before = again()
    assert again() == before
    module = storeys / storey / "inner" / "module.py"
    module.write_text(module.read_text() + "# edited\n")
    edited = again()
    assert edited != before
    module.rename(module.with_name("renamed.py"))
    assert again() not in (before, edited)


def test_files_that_are_no_modules_do_not_count(storeys):
    before = again()
    (storeys / "theory" / "notes.txt").write_text("nothing")
    assert again() == before


def test_the_module_of_a_function_from_elsewhere_counts(storeys):
    assert len({again(), again(json.loads), again(pytest.fixture)}) == 3
