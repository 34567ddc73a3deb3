"""The benchmarks run. What they print is of no concern here: no test looks at a clock."""

import subprocess
import sys

import pytest

from tools.served import ROOT


@pytest.mark.takes(40)
def test_carols_search_and_lists_are_measured_among_a_few_certificates():
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "--database", "sqlite", "--rounds", "1"),
            *("--only-search", "--only-lists", "--certificates", "60"),
            *("--only-cases", "audit/event?action"),
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=170,
    )

    assert done.returncode == 0, done.stderr
    assert "filled with 60 certificates" in done.stdout
    assert "a whole name, box" in done.stdout
    assert "audit/event?action=job.complete" in done.stdout
    assert "  status " not in done.stdout, "a page was not given"
