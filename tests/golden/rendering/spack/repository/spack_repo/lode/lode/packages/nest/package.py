# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Nest(CMakePackage):
    """nest, for tests"""

    homepage = "https://nest.example.org"

    tags = ["simulation"]

    license("MIT")

    version(
        "2.4.1",
        sha256="cdf5ea34fe0fc75884dd788f675f0b1117f0d397726faef25ffeb747962e3750",
        url="https://nest.example.org/nest-2.4.1.tar.gz",
    )
    version(
        "2.3",
        sha256="d620437599ab4ce20ba631880b2caf63228674d013ca1adb2abb88a03963b512",
        url="https://nest.example.org/nest-2.3.tar.gz",
    )

    variant("gdml", default=True, description="an option")
    variant("std", default="17", values=("17", "20"), multi=False, description="an option")
    generator("make")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("zlib", type=("build", "link"), when="+gdml")
    depends_on("cmake@3.20:", type="build")
    depends_on("gmake", type="build")

    patch("patches/a.patch", level=1, when="@=2.4.1")

    lode_root = {}
    test_requires_compiler = True

    def setup_run_environment(self, env):
        env.prepend_path("NEST_PATH", join_path(self.prefix, "share"))
        env.set("NEST", join_path(self.prefix, "."))
        env.set("NEST_UNIT", "keV")

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("NEST_PATH", join_path(self.prefix, "share"))
        env.set("NEST", join_path(self.prefix, "."))
        env.set("NEST_UNIT", "keV")

    def cmake_args(self):
        args = [*lode.CMAKE]
        if self.spec.satisfies("+gdml"):
            args += [
                "-DNEST_GDML=ON",
            ]
        if self.spec.satisfies("~gdml"):
            args += [
                "-DNEST_GDML=OFF",
            ]
        return args

    def test_yields(self):
        """nest: yields"""
        lode.test(
            self,
            compile="tests/yields.cpp",
            libraries=["NESTCore"],
            flags=["-I$PREFIX/include/NEST"],
            numbers="tests/yields.json",
            tolerance="1e-6",
            timeout=60,
        )

    def test_runs(self):
        """nest: runs"""
        if not (self.spec.satisfies("+gdml")):
            raise SkipTest("only when +gdml")
        lode.test(
            self,
            run=(
                "nest --help\n"
                "nest --version\n"
            ),
        )
