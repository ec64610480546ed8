# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.

"""What the packages of this repository share: building with pip or sh, one folder of dependencies, tests."""

import glob
import json
import os
import re

from spack.package import *

CMAKE = [
    "-DCMAKE_INSTALL_LIBDIR=lib",
    "-DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON",
    "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF",
    "-DFETCHCONTENT_FULLY_DISCONNECTED=ON",
]
PIP = ["--no-deps", "--no-index", "--no-cache-dir", "--disable-pip-version-check"]
VARIABLE = re.compile(
    r"\$(?:\{(PREFIX|SRC_DIR|JOBS|PYTHON|CC|CXX|FC|CFLAGS|CXXFLAGS|FFLAGS|CPPFLAGS|LDFLAGS)\}"
    r"|(PREFIX|SRC_DIR|JOBS|PYTHON|CC|CXX|FC|CFLAGS|CXXFLAGS|FFLAGS|CPPFLAGS|LDFLAGS)\b)"
)


def external(cls):
    """Take from the package of something that the OS brings what only a build of it would need."""
    for name in ("dependencies", "conflicts", "requirements", "patches", "resources"):
        getattr(cls, name).clear()


def programs(package, module):
    """Give a dependent the programs that Spack's build systems call by name."""
    jobs = determine_number_of_jobs(parallel=package.parallel)
    programs = {"cmake": ("cmake", "ctest"), "gmake": ("make", "gmake"), "meson": ("meson",), "ninja": ("ninja",)}
    for name in programs[package.name]:
        path = join_path(package.prefix.bin, "make" if name == "gmake" else name)
        many = package.name in ("gmake", "ninja")
        setattr(module, name, MakeExecutable(path, jobs=jobs) if many else Executable(path))


def source(package, subdirectory=""):
    """Return the folder that the build runs in."""
    root = package.lode_root.get(str(package.version), "")
    return os.path.normpath(os.path.join(package.stage.source_path, root, subdirectory))


def variables(package):
    """Return what texts of recipes may name."""
    found = {name: os.environ.get(name, "") for name in ("CFLAGS", "CXXFLAGS", "FFLAGS", "CPPFLAGS", "LDFLAGS")}
    found.update({name: os.environ.get(name, "") for name in ("CC", "CXX", "FC")})
    found["PREFIX"] = str(package.prefix)
    found["JOBS"] = str(determine_number_of_jobs(parallel=package.parallel))
    if "python" in package.spec:
        found["PYTHON"] = python(package).path
    return found


def expand(package, text, **more):
    """Return `text` with its variables replaced."""
    known = {**variables(package), "SRC_DIR": source(package), **more}
    return VARIABLE.sub(lambda match: known.get(match[1] or match[2], ""), text)


def shell(package, text, subdirectory=""):
    """Run a text of a recipe with sh in the source."""
    environment = {**variables(package), "SRC_DIR": source(package)}
    with working_dir(source(package, subdirectory)):
        Executable("/bin/sh")("-euc", text, extra_env=environment)


def cmake(package, words, subdirectory=""):
    """Configure, build and install with CMake and make, for a package that Spack's own class of CMake would need."""
    jobs = str(determine_number_of_jobs(parallel=package.parallel))
    build = join_path(package.stage.path, "lode-build")
    run = Executable(package.spec["cmake"].prefix.bin.cmake)
    kind = ["-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_INSTALL_PREFIX={package.prefix}"]
    run("-G", "Unix Makefiles", "-S", source(package, subdirectory), "-B", build, *kind, *words)
    run("--build", build, "--parallel", jobs)
    run("--install", build)


def dependencies(package):
    """Return a folder of links to all that the package is linked with: recipes know of one prefix only."""
    root = join_path(package.stage.path, "lode-dependencies")
    for dependency in package.spec.traverse(root=False, deptype=("link", "run")):
        if dependency.external:
            continue
        prefix = str(dependency.prefix)
        for folder, _, names in os.walk(prefix):
            for name in names:
                path = os.path.join(folder, name)
                link = os.path.join(root, os.path.relpath(path, prefix))
                if not os.path.lexists(link) and not os.path.relpath(path, prefix).startswith(".spack"):
                    mkdirp(os.path.dirname(link))
                    os.symlink(path, link)
    return root


def python(package):
    """Return the interpreter that the package is for."""
    return Executable(join_path(package.spec["python"].prefix.bin, "python3"))


def site_packages(package):
    """Return the folder of the package's Python modules."""
    return join_path(package.prefix.lib, f"python{package.spec['python'].version.up_to(2)}", "site-packages")


def pip(package, *words):
    """Run the pip that came with the interpreter, or a wheel of it in the source."""
    bundled = join_path(package.spec["python"].prefix.lib, "python3*", "ensurepip", "_bundled", "pip-*.whl")
    wheels = glob.glob(join_path(package.stage.source_path, "pip-*.whl")) + glob.glob(bundled)
    if not wheels:
        raise InstallError("the Python has no pip: ensurepip/_bundled is not there")
    python(package)(join_path(wheels[0], "pip"), *words)


def pip_build(package, words, subdirectory=""):
    """Build a wheel of the source with the build back-end among the dependencies, and install it."""
    out = join_path(package.stage.path, "lode-dist")
    with working_dir(source(package, subdirectory)):
        pip(package, "wheel", "--verbose", *PIP, "--no-build-isolation", "--wheel-dir", out, *words, ".")
    pip_install(package, glob.glob(join_path(out, "*.whl")))


def pip_install(package, wheels):
    """Install wheels."""
    pip(package, "install", *PIP, "--no-compile", "--no-warn-script-location", "--prefix", package.prefix, *wheels)


def test(package, *, run="", numbers="", tolerance="0", timeout=300, **how):
    """Run a test of the recipe in a new folder, which has the files that lie beside package.py.

    It is a text for sh (`run`), a C or C++ file (`compile`, with `libraries` and `flags`), or one of Python
    (`python_file`, `python_text`). Numbers that it writes to $LODE_NUMBERS are compared with those of a file.
    """
    folder = join_path(package.test_suite.test_dir_for_spec(package.spec), "lode-work")
    install_tree(package.package_dir, folder)
    environment = {"PREFIX": str(package.prefix), "LODE_NUMBERS": join_path(folder, "numbers.json")}
    with working_dir(folder):
        if "compile" in how:
            _compile(package, **how)
            program, words = Executable("./lode-test"), []
        elif how:
            program, words = python(package), [how["python_file"]] if "python_file" in how else ["-c", how["python_text"]]
        else:
            program, words = Executable("/bin/sh"), ["-euc", run]
        program(*words, extra_env=environment, timeout=timeout)
        if numbers:
            with open(numbers) as expected, open("numbers.json") as found:
                _compare(json.load(expected), json.load(found), float(tolerance))


def _compile(package, compile, libraries=(), flags=()):
    below = [one for one in package.spec.traverse(root=False, deptype="link") if not one.external]
    prefixes = [package.prefix] + [one.prefix for one in below]
    words = [f"-I{prefix.include}" for prefix in prefixes]
    words += [f"-L{prefix.lib}" for prefix in prefixes] + [f"-Wl,-rpath,{prefix.lib}" for prefix in prefixes]
    if compile.endswith(".c"):
        compiler = Executable(package.spec["c"].package.cc)
    else:
        compiler = Executable(package.spec["cxx"].package.cxx)
    flags = [expand(package, flag) for flag in flags]
    compiler(*flags, compile, "-o", "lode-test", *words, *[f"-l{name}" for name in libraries])


def _compare(expected, found, tolerance):
    wrong = [
        f"{name} is {found.get(name)}, expected {value}"
        for name, value in expected.items()
        if name not in found or abs(found[name] - value) > tolerance * abs(value)
    ]
    if wrong:
        raise RuntimeError("; ".join(wrong))
