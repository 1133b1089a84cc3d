"""network: one interface that is up and connected: the desktop's own network.

WLAN and LAN remember what they are told (active, config, ifconfig), connect() succeeds at once, scan() finds nothing.
Nothing on the desktop is configured by any of it: ifconfig() and ipconfig() say the addresses on which programs here
can be reached by default, 127.0.0.1. An access point that a program opens is the same interface.
"""

from __future__ import annotations

from typing import Any

STA_IF, AP_IF = 0, 1
MODE_11B, MODE_11G, MODE_11N, MODE_LR = 1, 2, 4, 8
AUTH_OPEN, AUTH_WEP, AUTH_WPA_PSK, AUTH_WPA2_PSK, AUTH_WPA_WPA2_PSK = range(5)
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP = 0, 1, 1010
STAT_WRONG_PASSWORD, STAT_NO_AP_FOUND, STAT_CONNECT_FAIL = 202, 201, 203
STAT_BEACON_TIMEOUT, STAT_ASSOC_FAIL, STAT_HANDSHAKE_TIMEOUT = 200, 203, 204
AUTH_WPA2_ENTERPRISE, AUTH_WPA3_PSK, AUTH_WPA2_WPA3_PSK, AUTH_MAX = 5, 6, 7, 8
# What is behind a LAN: said by the program, to nobody.
PHY_GENERIC, PHY_LAN8670, PHY_LAN8710, PHY_LAN8720, PHY_IP101, PHY_RTL8201, PHY_DP83848 = range(7)
PHY_KSZ8041, PHY_KSZ8081, PHY_KSZ8851SNL, PHY_DM9051, PHY_W5500 = range(7, 12)
ETH_INITIALIZED, ETH_STARTED, ETH_STOPPED, ETH_CONNECTED, ETH_DISCONNECTED, ETH_GOT_IP = range(6)

_MAC = b"\x02\x00\x5e\x10\x00\x01"  # locally administered
_hostname = "desktop"
_country = "XX"


class _Interface:
    """An interface that is up as soon as it is switched on."""

    IF_STA, IF_AP = STA_IF, AP_IF
    PM_NONE, PM_PERFORMANCE, PM_POWERSAVE = 0, 1, 2
    SEC_OPEN, SEC_WPA, SEC_WPA2, SEC_WPA_WPA2, SEC_WPA3, SEC_WPA2_WPA3 = 0, 2, 3, 4, 5, 6

    def __init__(self, kind: int = STA_IF, **options: Any) -> None:
        self._kind = kind
        self._is_active = self._is_connected = kind == STA_IF  # an access point is switched on by the program
        self._address = ["127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1"]
        self._config: dict[str, Any] = {"mac": _MAC, "ssid": "desktop", "essid": "desktop", "channel": 1}

    def active(self, is_active: bool | None = None) -> bool | None:
        if is_active is None:
            return self._is_active
        self._is_active = bool(is_active)
        if self._kind == AP_IF:
            self._is_connected = self._is_active
        return None

    def connect(self, ssid: Any = None, key: Any = None, **options: Any) -> None:
        if ssid is not None:
            self._config["ssid"] = self._config["essid"] = ssid
        self._is_active = self._is_connected = True

    def disconnect(self) -> None:
        self._is_connected = False

    def deinit(self) -> None:
        """Switches it off."""
        self.disconnect()
        self.active(False)

    def isconnected(self) -> bool:
        return self._is_active and self._is_connected

    def status(self, what: str | None = None) -> Any:
        if what == "rssi":
            return -40
        if what == "stations":
            return []
        return STAT_GOT_IP if self.isconnected() else STAT_IDLE

    def scan(self, **options: Any) -> list[tuple[Any, ...]]:
        return []

    def ifconfig(self, address: Any = None) -> Any:
        if address is None:
            return tuple(self._address)
        if not isinstance(address, str):  # "dhcp" changes nothing
            self._address = list(address)
        return None

    def ipconfig(self, what: str | None = None, **values: Any) -> Any:
        if what == "addr4":
            return self._address[0], self._address[1]
        if what == "gw4":
            return self._address[2]
        return what in ("has_dhcp4", "dhcp4") or None

    def config(self, *names: str, **values: Any) -> Any:
        if not names:
            self._config.update(values)
            return None
        name = names[0]
        if name in ("hostname", "dhcp_hostname"):
            return self._config.get(name, _hostname)
        if name not in self._config:
            raise ValueError(f"unknown config param {name!r}: there is no radio here, only what the program has set")
        return self._config[name]


_interfaces: dict[Any, _Interface] = {}


class WLAN(_Interface):
    """The same object for the same interface, as on devices."""

    def __new__(cls, kind: int = STA_IF, **options: Any) -> WLAN:
        if kind not in _interfaces:
            _interfaces[kind] = super().__new__(cls)
            _Interface.__init__(_interfaces[kind], kind)
        return _interfaces[kind]  # type: ignore[return-value]

    def __init__(self, kind: int = STA_IF, **options: Any) -> None:
        pass


class LAN(_Interface):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__()


WIZNET5K = PPP = Cellular = LAN


def hostname(name: str | None = None) -> str | None:
    global _hostname
    if name is None:
        return _hostname
    _hostname = name
    return None


def country(code: str | None = None) -> str | None:
    global _country
    if code is None:
        return _country
    _country = code
    return None


def phy_mode(mode: int | None = None) -> int | None:
    return MODE_11N if mode is None else None


def ipconfig(what: str | None = None, **values: Any) -> Any:
    return None


def route() -> list[Any]:
    return []


__all__ = [name for name in dir() if name[0] != "_" and name not in ("Any", "annotations")]
