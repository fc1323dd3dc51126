"""The reference page of `vg.inspect` names everything that a report has."""

import dataclasses
import re
from pathlib import Path

import vanishing as vg
from vanishing.inspection.nonfinite import Culprit

TEXT = Path(__file__).parents[2].joinpath("chapters", "inspect.md").read_text()


def test_every_name_is_on_the_page():
    inspection = vg.inspection
    records = inspection.Layer, inspection.Histogram, inspection.Parameter, inspection.Finding
    for record in (*records, Culprit):
        for field in dataclasses.fields(record):
            assert f"`{field.name}`" in TEXT, f"{record.__name__}.{field.name}"
    public = {name for name in dir(inspection.Report) if not name.startswith("_")}
    public |= {field.name for field in dataclasses.fields(inspection.Report)}
    assert public - set(re.findall(r"(?:report|before)\.(\w+)", TEXT)) == set()
    for name in ("before", "after", "changes", "cured", "new"):
        assert f"`{name}`" in TEXT
