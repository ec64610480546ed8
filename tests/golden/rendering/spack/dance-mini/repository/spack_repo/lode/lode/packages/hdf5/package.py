# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Hdf5(CMakePackage):
    "Hierarchical data format for large arrays and their metadata"

    homepage = "https://www.hdfgroup.org/solutions/hdf5"

    tags = ["analysis", "data-format", "io"]

    license("BSD-3-Clause")

    version(
        "1.14.5",
        sha256="71cdb04c151ef4e8a7f88907adfc4f3b75afd44e96fbd55775e1c9d7c4e7c112",
        url="file:///nowhere/lode/hdf5_1.14.5+repack.orig.tar.gz",
    )

    variant("cxx", default=False, description="the C++ interface")
    variant(
        "hl",
        default=True,
        description="the high-level interface: tables, images, dimension scales",
    )
    variant(
        "tools",
        default=True,
        description="the commands h5dump, h5ls, h5diff, h5repack and others",
    )
    generator("make")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.18:", type="build")
    depends_on("gmake", type="build")
    depends_on("zlib@1.2.5:", type=("build", "link"))

    patch("patches/no-kernel.patch", level=1, when="@=1.14.5")

    lode_root = {}
    test_requires_compiler = True

    def cmake_args(self):
        args = [*lode.CMAKE]
        args += [
            "-DBUILD_SHARED_LIBS=ON",
            "-DBUILD_STATIC_LIBS=OFF",
            "-DBUILD_TESTING=OFF",
            "-DHDF5_BUILD_EXAMPLES=OFF",
            "-DHDF5_BUILD_FORTRAN=OFF",
            "-DHDF5_BUILD_JAVA=OFF",
            "-DHDF5_BUILD_HL_TOOLS=OFF",
            "-DHDF5_BUILD_PARALLEL_TOOLS=OFF",
            "-DHDF5_ENABLE_Z_LIB_SUPPORT=ON",
            "-DHDF5_ENABLE_SZIP_SUPPORT=OFF",
            "-DHDF5_ENABLE_PARALLEL=OFF",
            "-DHDF5_ENABLE_PLUGIN_SUPPORT=OFF",
            "-DHDF5_ENABLE_ROS3_VFD=OFF",
            "-DHDF5_ENABLE_HDFS=OFF",
        ]
        if self.spec.satisfies("+cxx"):
            args += [
                "-DHDF5_BUILD_CPP_LIB=ON",
            ]
        if self.spec.satisfies("~cxx"):
            args += [
                "-DHDF5_BUILD_CPP_LIB=OFF",
            ]
        if self.spec.satisfies("+hl"):
            args += [
                "-DHDF5_BUILD_HL_LIB=ON",
            ]
        if self.spec.satisfies("~hl"):
            args += [
                "-DHDF5_BUILD_HL_LIB=OFF",
            ]
        if self.spec.satisfies("+tools"):
            args += [
                "-DHDF5_BUILD_TOOLS=ON",
            ]
        if self.spec.satisfies("~tools"):
            args += [
                "-DHDF5_BUILD_TOOLS=OFF",
            ]
        return args

    def test_dataset(self):
        "hdf5: dataset"
        lode.test(
            self,
            compile="tests/dataset.c",
            libraries=["hdf5"],
        )

    def test_high_level(self):
        "hdf5: high-level"
        if not (self.spec.satisfies("+hl")):
            raise SkipTest("only when +hl")
        lode.test(
            self,
            compile="tests/table.c",
            libraries=["hdf5_hl", "hdf5"],
        )

    def test_tools(self):
        "hdf5: tools"
        if not (self.spec.satisfies("+tools")):
            raise SkipTest("only when +tools")
        lode.test(
            self,
            run=(
                "h5mkgrp -p first.h5 /run/waveforms\n"
                "h5copy -i first.h5 -o second.h5 -s /run -d /run\n"
                "h5diff first.h5 second.h5\n"
                "h5repack second.h5 third.h5\n"
                "h5ls -r third.h5 | grep -q '^/run/waveforms *Group'\n"
                "h5dump third.h5 | grep -q 'GROUP \"waveforms\"'\n"
            ),
        )

    def test_linked(self):
        "hdf5: linked"
        lode.test(
            self,
            run="! ldd $PREFIX/lib/libhdf5.so | grep -E 'libsz|libaec|libmpi|libcurl'",
        )
