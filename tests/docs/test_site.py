"""The documentation builds strictly, and what it generates is complete."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import synergy
import synthetic
import theory
from synergy.cli.app import app

pytest.importorskip("mkdocs", reason="needs the extra essl-synergy[docs]")
pytest.importorskip("mkdocstrings", reason="needs the extra essl-synergy[docs]")
pytest.importorskip("material", reason="needs the extra essl-synergy[docs]")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages by name."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    command += ["--config-file", str(ROOT / "docs" / "mkdocs" / "mkdocs.yml"), "--site-dir", str(out)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return {str(path.relative_to(out)): path.read_text(encoding="utf-8") for path in out.rglob("*.html")}


def test_every_claim_is_there_with_its_proof(site):
    page = site["claims.html"]
    for claim in theory.CLAIMS.values():
        assert f'id="{claim.id.lower()}"' in page
    proofs = sum("proof" in claim.worlds for claim in theory.CLAIMS.values())
    assert page.count('class="verdict"') == proofs
    assert page.count("<math") > 2 * len(theory.CLAIMS)


def test_the_page_of_claims_in_the_repository_is_what_the_code_writes(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "mkdocs"))
    pages = importlib.import_module("pages")
    kept = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    assert kept == pages.claims_text(), "docs/claims.md is out of date: run `make claims`"


@pytest.mark.parametrize("package", [theory, synthetic, synergy], ids=lambda package: package.__name__)
def test_the_public_names_are_those_of_the_package(site, package):
    page = site[f"api/{package.__name__}.html"]
    for name in package.__all__:
        assert name in page
    documented = page.count('<h2 id="')
    assert documented == len(package.__all__)


def test_every_command_and_generator_is_there(site):
    import typer

    for name in typer.main.get_command(app).commands:
        assert f"synergy {name}" in site["cli.html"]
    for family in synthetic.GENERATORS:
        assert f'id="{family}"' in site["generators.html"]
    assert site["generators.html"].count("sheets/") >= 2


def test_nothing_is_fetched_from_elsewhere(site):
    for name, page in site.items():
        fetched = re.findall(r'<(?:script|img|iframe)[^>]*src="(https?:[^"]*)"', page)
        fetched += re.findall(r'<link[^>]*rel="(?:stylesheet|preconnect)"[^>]*href="(https?:[^"]*)"', page)
        assert fetched == [], name


def test_a_broken_link_fails_the_build(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Page\n\n[missing](missing.md)\n")
    (tmp_path / "mkdocs.yml").write_text("site_name: x\nplugins: []\n")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "missing.md" in done.stderr


def test_the_gallery_has_every_chapter_and_every_diagram(site):
    page = site["gallery.html"]
    for chapter in theory.CHAPTERS:
        assert f'id="chapter-{chapter}"' in page
        for claim in theory.of_chapter(chapter):
            assert f'id="gallery-{claim.id.lower()}"' in page
    for name in theory.DIAGRAMS:
        assert f'id="diagram-{name}"' in page
    assert page.count('<p class="verdict">') == sum(
        "proof" in claim.worlds for claim in theory.CLAIMS.values()
    )
