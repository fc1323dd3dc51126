"""What the project says of its authors and licences, in every place that says it."""

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
LICENCES = ("LICENSE-CODE.txt", "LICENSE-TEXT.txt")
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

#: Keys of the Citation File Format 1.2.0; the first four must be there.
REQUIRED = {"cff-version", "message", "title", "authors"}
ALLOWED = REQUIRED | {
    "abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license",
    "license-url", "preferred-citation", "references", "repository", "repository-artifact",
    "repository-code", "type", "url", "version",
}  # fmt: skip


def test_the_citation_file_has_the_keys_of_its_format():
    assert REQUIRED <= set(CITATION) <= ALLOWED
    assert CITATION["cff-version"] == "1.2.0" and CITATION["type"] in ("software", "dataset")
    texts = [CITATION[key] for key in ("message", "title", "abstract", "version")]
    assert all(isinstance(text, str) and text for text in texts + CITATION["keywords"])
    assert [set(author) for author in CITATION["authors"]] == [{"name"}]  # a group, no person


def test_the_citation_file_says_what_book_and_package_say():
    assert CITATION["title"] == CONFIG["title"]
    assert CITATION["authors"] == [{"name": CONFIG["author"]}]
    assert CITATION["version"] == PROJECT["version"]
    assert CITATION["license"] == [PROJECT["license"], "CC-BY-4.0"]


def test_both_licences_are_there_in_full():
    code, text = ((ROOT / name).read_text("utf-8") for name in LICENCES)
    assert code.startswith("MIT License") and CONFIG["author"] in code.splitlines()[2]
    assert f"(c) {CONFIG['copyright']} " in code and code.rstrip().endswith("SOFTWARE.")
    assert text.startswith("Attribution 4.0 International\n")
    sections = [line for line in text.splitlines() if line.startswith("Section ")]
    assert [line.split(" ")[1] for line in sections] == list("12345678")
    assert text.rstrip().endswith("contacted at creativecommons.org.")


def test_the_readme_leads_to_them():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in (*LICENCES, "CITATION.cff"):
        assert f"]({name})" in readme
