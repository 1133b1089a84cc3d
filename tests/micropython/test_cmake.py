"""bindings/micropython/micropython.cmake, for ports that CMake builds: MicroPython's own rules take the same sources
with the same flags as make does with micropython.mk, and find our modules (NAME-1, NAME-2)."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hosts import BUILD, REPO, SOURCE

BINDING = REPO / "bindings" / "micropython"
PORT = Path(__file__).resolve().parent / "cmake_port"
MADE = BUILD / "micropython" / "usocket"  # by make

pytestmark = pytest.mark.timeout(600)


def run(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("port")
    settings = [f"-DMICROPY_DIR={SOURCE}", f"-DUSER_C_MODULES={BINDING}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    run("cmake", "-S", PORT, "-B", folder, "-G", "Ninja", *settings)
    run("cmake", "--build", folder, "-j2")
    return folder


def commands(built: Path) -> dict[Path, list[str]]:
    """How each source is compiled."""
    entries = json.loads((built / "compile_commands.json").read_text())
    return {Path(entry["file"]).resolve(): entry["command"].split() for entry in entries}


def test_cmake_compiles_what_make_compiles(built: Path) -> None:
    objects = [path for path in MADE.rglob("*.o") if path.is_relative_to(MADE / "usocket") or str(REPO) in str(path)]
    sources = {path.resolve() for path in (REPO / "src").rglob("*.cpp")} | {*BINDING.rglob("*.c*")}
    made = {one for one in sources if any(str(path).endswith(f"/{one.parent.name}/{one.stem}.o") for path in objects)}
    assert len(made) > 20
    # The CMake ports have no TLS of ours (docs/tls.md).
    assert set(commands(built)) == {one for one in made if "tls" not in one.relative_to(REPO).parts}


def test_cmake_gives_the_flags_that_make_gives(built: Path) -> None:
    text = (BINDING / "usocket" / "micropython.mk").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.startswith("CXXFLAGS_USERMOD +=")]
    flags = set(re.findall(r"-(?:f|std=)\S+", " ".join(lines)))
    assert {"-std=c++20", "-fno-exceptions", "-fno-rtti"} <= flags
    (shared,) = re.findall(r"^USOCKET_DEFINES := (.*)", text, re.MULTILINE)
    defines = set(re.findall(r"-D\S+", shared))
    assert "-DUSOCKET_SMALL" in defines
    for source, command in commands(built).items():
        assert defines <= set(command), source
        if source.suffix == ".cpp":
            assert flags <= set(command), source
        else:
            assert "-fno-unwind-tables" in command, source


def test_name_1_cmake_registers_the_modules(built: Path) -> None:
    headers = built / "genhdr"
    registered = (headers / "moduledefs.h").read_text()
    assert "MP_QSTR_usocket)" in registered and "MP_QSTR_socket)" in registered
    names = (headers / "qstrdefs.generated.h").read_text()
    assert "MP_QSTR_recvfrom_into," in names


def test_cmake_needs_no_library_of_cxx(built: Path) -> None:
    symbols = run("nm", "--undefined-only", "--demangle", built / "libfirmware.a")
    wanted = re.findall(r" U (.*)", symbols)
    assert "recvfrom" in wanted
    asked = [name for name in wanted if re.match(r"operator (new|delete)|std::|__cxa_(?!atexit)|__gxx|typeinfo", name)]
    assert not asked


# What the variant coverage of MicroPython's unix port asks for besides.
STRICT = "-Wmissing-declarations -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wshadow -Werror".split()


def test_c_files_keep_the_rules_of_the_variant_coverage(built: Path) -> None:
    entries = json.loads((built / "compile_commands.json").read_text())
    ours = [entry for entry in entries if Path(entry["file"]).is_relative_to(BINDING) and entry["file"].endswith(".c")]
    assert len(ours) > 5
    for entry in ours:
        done = subprocess.run(
            [*shlex.split(entry["command"]), "-fsyntax-only", *STRICT],
            cwd=entry["directory"],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr


SIZED = ["socket.cpp", "resolver.cpp", "poll.cpp", "message.cpp", "basics.cpp"]  # of usocket.h's objects


@pytest.mark.parametrize(
    "source",
    [*(REPO / "src" / "c" / name for name in SIZED), BINDING / "usocket" / "constants.cpp"],
    ids=lambda path: path.stem,
)
def test_sizes_are_right_for_32_bits(built: Path, source: Path) -> None:
    can = subprocess.run(
        ["g++", "-m32", "-fsyntax-only", "-x", "c++", "-"], input="#include <netdb.h>\n", capture_output=True, text=True
    )
    if can.returncode != 0:
        pytest.skip("this compiler has no headers for 32 bits (g++-multilib)")
    command = next(command for path, command in commands(built).items() if path == source)
    run(*command, "-m32", "-fsyntax-only")
