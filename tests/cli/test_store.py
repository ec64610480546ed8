from __future__ import annotations

import pytest
from click.testing import CliRunner

from lode.cli.store import command


@pytest.mark.parametrize(
    ("name", "option"),
    [("sign", "--max-minutes"), ("sign", "--store-policy"), ("sign", "--store-read-only"), ("verify", "--max-minutes")],
)
def test_options_that_mean_nothing_there_are_refused(name: str, option: str) -> None:
    ended = CliRunner().invoke(command, [name, "tiny", option, "1"])
    assert ended.exit_code == 2
    assert f"No such option '{option}'" in ended.output
