"""DEV-1, DEV-6: a program for a board runs unchanged on CPython, on MicroPython and over a bad network, and
mosquitto gets all that it sends."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from programs import LANGUAGES, Program, device_program, mosquitto

READINGS = 60
HOSTS = ["cpython"] + ["micropython"] * ("micropython" in LANGUAGES)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as port:
        yield port


def output_of(command: list[str]) -> list[str]:
    with Program(command) as program:
        assert program.wait() == 0, list(iter(program.lines.get, ""))
        return list(iter(program.lines.get, ""))


@pytest.mark.parametrize("host", HOSTS)
def test_dev_1_a_program_for_a_board_sends_all_its_readings(host: str, broker: int) -> None:
    said = output_of(device_program(host, "mqtt_device", "127.0.0.1", broker, f"calm-{host}", READINGS))
    assert said == [f"{READINGS} readings acknowledged, {READINGS} heard\n", "connections: 1\n"]


@pytest.mark.parametrize("seed", [1, 15, 19])
def test_dev_6_it_misses_nothing_over_a_bad_network(seed: int, broker: int) -> None:
    chaos = ["--chaos", str(seed)]
    said = output_of(
        device_program("cpython", "mqtt_device", "127.0.0.1", broker, f"chaos-{seed}", READINGS, options=chaos)
    )
    assert said[0] == f"{READINGS} readings acknowledged, {READINGS} heard\n"
    connections = re.fullmatch(r"connections: (\d+)\n", said[1])
    assert connections and (int(connections[1]) > 1 or seed == 1)
    assert said[2].startswith(f"chaos {seed}: ")
