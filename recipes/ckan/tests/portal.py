"""What the portal does before it has a database: writes its configuration, checks and cleans what comes in."""

import configparser
import os
import pathlib
import subprocess

os.environ["HOME"] = str(pathlib.Path.cwd())
subprocess.run(["ckan", "generate", "config", "ckan.ini"], check=True)
written = configparser.RawConfigParser()
written.read("ckan.ini")
assert written["app:main"]["sqlalchemy.url"].startswith("postgresql://"), dict(written["app:main"])
assert len(written["app:main"]["SECRET_KEY"]) >= 20 and written["app:main"]["ckan.auth.public_user_details"]

from ckan.lib.munge import munge_title_to_name  # noqa: E402
from ckan.lib.navl.dictization_functions import validate  # noqa: E402
from ckan.lib.navl.validators import not_empty  # noqa: E402
from ckan.logic.validators import isodate, name_validator, natural_number_validator  # noqa: E402

schema = {"name": [not_empty, name_validator], "runs": [natural_number_validator], "taken": [isodate]}
data, errors = validate({"name": munge_title_to_name("Limits of Run 7"), "runs": "7", "taken": "2026-11-01"}, schema)
assert not errors, errors
assert data["name"] == "limits-of-run-7" and data["runs"] == 7 and data["taken"].year == 2026
_, errors = validate({"name": "Limits of Run 7", "runs": "-7", "taken": "yesterday"}, schema)
assert set(errors) == {"name", "runs", "taken"}, errors

from ckan.lib.helpers import nh3_clean  # noqa: E402

assert nh3_clean("<b>run 7</b><script>alert(1)</script>") == "<b>run 7</b>"
