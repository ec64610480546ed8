"""A C extension builds with the compiler and the headers that sysconfig names, and runs."""

import pathlib
import shlex
import shutil
import subprocess
import sys
import sysconfig

compiler = shlex.split(sysconfig.get_config_var("CC"))
if shutil.which(compiler[0]) is None:
    print(f"no {compiler[0]} on this machine")
    sys.exit(0)

library = pathlib.Path("answer" + sysconfig.get_config_var("EXT_SUFFIX")).absolute()
subprocess.run(
    [*compiler, "-shared", "-fPIC", f"-I{sysconfig.get_path('include')}", "tests/answer.c", "-o", library], check=True
)
sys.path.insert(0, str(library.parent))
import answer  # noqa: E402

assert answer.answer() == 42
