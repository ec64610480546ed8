# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.autotools import AutotoolsPackage
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Python(AutotoolsPackage):
    "The Python language, its interpreter and standard library"

    homepage = "https://www.python.org"

    tags = ["base", "language"]

    license("PSF-2.0")

    version(
        "3.13.5",
        sha256="93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640",
        url="file:///nowhere/lode/python3.13_3.13.5.orig.tar.xz",
    )
    version(
        "3.11.2",
        sha256="2411c74bda5bbcfcddaf4531f66d1adc73f247f529aee981b029513aefdbf849",
        url="file:///nowhere/lode/python3.11_3.11.2.orig.tar.gz",
    )

    depends_on("c", type="build")
    depends_on("bzip2", type=("build", "link"))
    depends_on("expat@2.4:", type=("build", "link"))
    depends_on("libffi@3.3:", type=("build", "link"))
    depends_on("gmake", type="build")
    depends_on("pkgconf", type="build")
    depends_on("xz@5.2:", type=("build", "link"))
    depends_on("zlib@1.2.11:", type=("build", "link"))

    lode_root = {}
    install_targets = ["install", "COMPILEALL_OPTS=--help"]
    build_directory = "lode-build"

    def setup_build_environment(self, env):
        env.set("OPT", lode.expand(self, "-DNDEBUG -Wall"))

    def configure_args(self):
        args = [f"--libdir={self.prefix.lib}"]
        args += [
            "--enable-shared",
            "--without-static-libpython",
            "--with-system-expat",
            "--with-ensurepip=no",
        ]
        if self.spec.satisfies("@3.13:"):
            args += [
                "--with-system-libmpdec=no",
            ]
        if self.spec.satisfies("@3.12:"):
            args += [
                "--disable-test-modules",
            ]
        args += [
            "py_cv_module__curses=n/a",
            "py_cv_module__curses_panel=n/a",
            "py_cv_module__dbm=n/a",
            "py_cv_module__gdbm=n/a",
            "py_cv_module__hashlib=n/a",
            "py_cv_module__sqlite3=n/a",
            "py_cv_module__ssl=n/a",
            "py_cv_module__tkinter=n/a",
            "py_cv_module__uuid=n/a",
            "py_cv_module_readline=n/a",
        ]
        if self.spec.satisfies("@:3.12"):
            args += [
                "py_cv_module__crypt=n/a",
                "py_cv_module_nis=n/a",
            ]
        return args

    @run_after("install")
    def lode_finish(self):
        lode.shell(self, (
            "ln -s python3 \"$PREFIX/bin/python\"\n"
            "rm -rf \"$PREFIX\"/lib/python3.*/test \"$PREFIX\"/lib/python3.*/idlelib/idle_test\n"
        ))

    def test_modules(self):
        "python: modules"
        lode.test(
            self,
            python_file="tests/modules.py",
        )

    def test_extension(self):
        "python: extension"
        lode.test(
            self,
            python_file="tests/extension.py",
        )

    def test_virtual_environment(self):
        "python: virtual-environment"
        lode.test(
            self,
            run=(
                "python3 -m venv --without-pip venv\n"
                "venv/bin/python -c 'import sys; assert sys.prefix != sys.base_prefix, sys.prefix'\n"
            ),
        )
