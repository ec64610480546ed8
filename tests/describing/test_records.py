"""Build records survive being written."""

import pytest
from tests.describing.factory import mini, records

from lode.describing.records import dump, load
from lode.errors import LodeError


def test_records_are_read_back_as_they_were_written() -> None:
    written = records(mini())
    assert load(dump(written), "build.json") == written


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not a build record: JSONDecodeError: Expecting property name enclosed in double quotes"),
        (b"[]", "not a build record: TypeError: list indices must be integers"),
        (b'{"schema": 1}', "not a build record: KeyError: 'nodes'"),
        (b'{"schema": 2}', "the build record is of schema 2, this version reads 1"),
    ],
)
def test_what_is_not_a_build_record_is_refused_with_its_name(content: bytes, message: str) -> None:
    with pytest.raises(LodeError) as refused:
        load(content, "d/build.json")
    assert str(refused.value).startswith(f"d/build.json: {message}")
