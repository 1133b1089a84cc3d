"""usocket for Conan 2: `conan create packaging/conan`."""

import re
from pathlib import Path

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir

ROOT = Path(__file__).parents[2]
SOURCES = ["CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*"]


class UsocketConan(ConanFile):
    name = "usocket"
    license = "MIT"
    description = "The socket module of MicroPython and Pycopy as a C++20 library"
    topics = ("socket", "network", "tls")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "tls": [True, False]}
    default_options = {"shared": False, "fPIC": True, "tls": False}
    implements = ["auto_shared_fpic"]

    def set_version(self):
        header = load(self, ROOT / "include" / "usocket" / "version.hpp")
        self.version = ".".join(re.findall(r"define USOCKET_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))

    def export_sources(self):
        for pattern in SOURCES:
            copy(self, pattern, ROOT, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def validate(self):
        check_min_cppstd(self, 20)

    def requirements(self):
        if self.options.tls:
            self.requires("openssl/[>=3 <4]")

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.variables["USOCKET_TLS"] = bool(self.options.tls)
        toolchain.variables["USOCKET_KINDS"] = "shared" if self.options.shared else "static"
        for part in ("TESTS", "EXAMPLES", "BENCH"):
            toolchain.variables[f"USOCKET_BUILD_{part}"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, Path(self.package_folder) / "licenses")
        CMake(self).install()
        for folder in ("lib/cmake", "lib/pkgconfig", "share"):  # Conan makes its own
            rmdir(self, Path(self.package_folder) / folder)

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "usocket")
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "usocket::usocket")
        core.set_property("pkg_config_name", "usocket")
        core.libs = ["usocket"]
        if self.settings.os in ("Linux", "FreeBSD"):
            core.system_libs = ["pthread"]
        if self.options.tls:
            tls = self.cpp_info.components["tls"]
            tls.set_property("cmake_target_name", "usocket::tls")
            tls.set_property("pkg_config_name", "usocket-tls")
            tls.libs = ["usocket-tls"]
            tls.requires = ["core", "openssl::openssl"]
