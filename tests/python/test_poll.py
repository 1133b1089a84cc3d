"""POLL-1..7: uselect."""

from __future__ import annotations

import errno
import gc
import os
import resource
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uselect
import usocket
from python_support import Caller, Pair, alarms, await_input, error_of, listener, make_pair, preloaded, run_python
from uselect import POLLERR, POLLHUP, POLLIN, POLLOUT


@pytest.fixture
def poll() -> uselect.poll:
    return uselect.poll()


# --- POLL-1


def test_poll_1_a_list_of_tuples(poll: uselect.poll, pair: Pair) -> None:
    one, other = pair
    poll.register(one, POLLIN)
    assert poll.poll(0) == []
    other.write(b"x")
    ready = poll.poll()
    assert ready == [(one, POLLIN)] and type(ready) is list and type(ready[0]) is tuple


def test_poll_1_without_a_mask_it_is_both(poll: uselect.poll, pair: Pair) -> None:
    poll.register(pair[0])
    assert poll.poll() == [(pair[0], POLLOUT)]
    pair[1].write(b"x")
    await_input(pair[0])
    assert poll.poll() == [(pair[0], POLLIN | POLLOUT)]


def test_poll_1_modify_and_unregister(poll: uselect.poll, pair: Pair) -> None:
    one, other = pair
    poll.register(one, POLLIN)
    poll.modify(one, POLLOUT)
    assert poll.poll() == [(one, POLLOUT)]
    poll.modify(one, 0)
    assert poll.poll(0) == []
    poll.unregister(one)
    poll.register(one, POLLOUT)
    assert poll.poll() == [(one, POLLOUT)]


def test_poll_1_registering_again_is_modifying(poll: uselect.poll, pair: Pair) -> None:
    one = pair[0]
    poll.register(one, POLLIN, "old")
    poll.register(one, POLLOUT)
    assert list(poll.ipoll()) == [(one, POLLOUT, "old")]
    poll.register(one, POLLOUT, "new")
    assert list(poll.ipoll()) == [(one, POLLOUT, "new")]
    poll.register(one, POLLOUT, None)
    assert list(poll.ipoll()) == [(one, POLLOUT, None)]


def test_poll_1_userdata_is_third_where_it_was_given(poll: uselect.poll, pair: Pair) -> None:
    data = object()
    poll.register(pair[0], POLLOUT, data)
    poll.register(pair[1], POLLOUT)
    for function in (poll.poll, poll.ipoll):
        entries = {id(entry[0]): entry for entry in function()}
        assert entries == {id(pair[0]): (pair[0], POLLOUT, data), id(pair[1]): (pair[1], POLLOUT)}


def test_poll_1_ipoll_is_unpacked_as_on_devices(poll: uselect.poll, pair: Pair) -> None:
    poll.register(pair[0], POLLOUT)
    for obj, event in poll.ipoll():
        assert (obj, event) == (pair[0], POLLOUT)


def test_poll_1_one_shot(poll: uselect.poll, pair: Pair) -> None:
    one, other = pair
    poll.register(one, POLLOUT)
    poll.register(other, POLLIN)
    assert [entry[0] for entry in poll.ipoll(0, 1)] == [one]
    assert list(poll.ipoll(0, 1)) == []
    one.write(b"x")
    await_input(other)
    assert [entry[0] for entry in poll.ipoll(0, 1)] == [other]
    poll.modify(other, POLLIN)
    assert [entry[0] for entry in poll.ipoll(0)] == [other]
    assert [entry[0] for entry in poll.poll(0)] == [other]


def test_poll_3_one_shot_tells_of_a_close_as_of_a_hang_up(poll: uselect.poll, pair: Pair) -> None:
    one, other = pair
    poll.register(one, POLLIN)
    one.shutdown(usocket.SHUT_WR)
    other.close()
    assert list(poll.ipoll(-1, 1)) == [(one, POLLIN | POLLHUP)]
    assert list(poll.ipoll(0, 1)) == []
    one.close()
    ((obj, event),) = poll.poll()
    assert obj is one and event & POLLHUP
    assert poll.poll(0) == []


@pytest.mark.parametrize("timeout", [0, 0.0, 0.4, 5, 5.5, True])
def test_poll_1_timeouts_expire(timeout: float, poll: uselect.poll, pair: Pair) -> None:
    poll.register(pair[0], POLLIN)
    assert poll.poll(timeout) == []
    assert list(poll.ipoll(timeout)) == []


@pytest.mark.parametrize("arguments", [(), (-1,), (None,), (-0.5,), (-(10**400),), (10**9,)])
def test_poll_1_timeouts_that_wait(arguments: tuple[Any, ...], poll: uselect.poll, pair: Pair) -> None:
    poll.register(pair[0], POLLIN)
    caller = Caller(poll.poll, *arguments)
    caller.wait_until_blocked()
    pair[1].write(b"x")
    assert caller.finish() == [(pair[0], POLLIN)]


@pytest.mark.parametrize("timeout", [float("nan"), float("inf"), 1e300, 10**400])
def test_poll_1_what_is_no_timeout(timeout: float, poll: uselect.poll) -> None:
    for function in (poll.poll, poll.ipoll):
        with pytest.raises(ValueError, match="timeout is None or a number of milliseconds"):
            function(timeout)


def test_poll_1_an_empty_poll_waits(poll: uselect.poll) -> None:
    assert poll.poll(1) == []


def test_poll_1_a_signal_that_raises_ends_it(poll: uselect.poll) -> None:
    """TIME-5."""

    def handler(count: int) -> None:
        if count == 3:
            raise ZeroDivisionError

    with alarms(handler), pytest.raises(ZeroDivisionError):
        poll.poll()


# --- POLL-2


def test_poll_2_descriptors(poll: uselect.poll, pair: Pair) -> None:
    one, other = pair
    fd = one.fileno()
    poll.register(fd, POLLOUT, "number")
    assert poll.poll() == list(poll.ipoll()) == [(fd, POLLOUT, "number")]
    poll.register(one, POLLOUT, "object")  # beside the number
    assert sorted(entry[2] for entry in poll.ipoll()) == ["number", "object"]
    poll.unregister(fd)
    assert poll.poll() == [(one, POLLOUT, "object")]


def test_poll_2_a_number_is_the_same_number_whichever_object_it_is(poll: uselect.poll) -> None:
    """Large ints are not one object."""
    reading, writing = os.pipe()
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft < 400:
        pytest.skip("not enough descriptors")
    large = 399
    os.dup2(writing, large)
    try:
        poll.register(int("399"), POLLOUT)
        poll.modify(int("399"), 0)
        poll.unregister(int("399"))
    finally:
        for fd in (reading, writing, large):
            os.close(fd)


def test_poll_2_anything_with_fileno(poll: uselect.poll, pair: Pair) -> None:
    class Wrapper:
        def fileno(self) -> int:
            return pair[0].fileno()

        def __eq__(self, other: object) -> bool:
            raise AssertionError("objects are told apart by identity")

        __hash__ = None

    first, second = Wrapper(), Wrapper()
    poll.register(first, POLLOUT)
    poll.register(second, POLLOUT)
    assert {id(entry[0]) for entry in poll.poll()} == {id(first), id(second)}
    poll.unregister(first)
    assert [entry[0] is second for entry in poll.poll()] == [True]


def test_poll_2_files_and_pipes(poll: uselect.poll) -> None:
    with open(__file__, "rb") as file:
        poll.register(file, POLLIN)
        assert poll.poll() == [(file, POLLIN)]
        poll.unregister(file)
    reading, writing = os.pipe()
    with open(reading, "rb") as source, open(writing, "wb") as sink:
        poll.register(source, POLLIN)
        assert poll.poll(0) == []
        sink.write(b"x")
        sink.flush()
        assert poll.poll() == [(source, POLLIN)]


@pytest.mark.parametrize("thing", [None, "x", 1.5, object(), b"1", [], type("F", (), {"fileno": lambda self: "1"})()])
def test_poll_2_what_has_no_descriptor(thing: Any, poll: uselect.poll) -> None:
    with pytest.raises(TypeError):
        poll.register(thing, POLLIN)


REGISTER = "register(obj[, eventmask[, userdata]])"
SELECT = "select(rlist, wlist, xlist, timeout_s=None)"
ITERABLE = "an iterable of descriptors and objects with fileno()"
MESSAGES: list[tuple[Callable[[Any], Any], str]] = [
    (lambda p: p.register(), f"{REGISTER} takes 1 to 3 arguments, not 0"),
    (lambda p: p.register(0, "x"), f"{REGISTER}: argument 2: an int is required, not 'str'"),
    (lambda p: p.register("x"), "a descriptor or an object with fileno() is required, not 'str'"),
    (lambda p: p.unregister(0, through=1), "unregister(obj, throw=True) has no keyword argument 'through'"),
    (lambda p: p.modify(0), "modify(obj, eventmask) takes 2 arguments, not 1"),
    (lambda p: p.modify(0, None), "modify(obj, eventmask): argument 2: an int is required, not 'NoneType'"),
    (lambda p: p.poll("x"), "poll(timeout_ms=-1): argument 1: a number or None is required, not 'str'"),
    (lambda p: p.ipoll(0, 1, 2), "ipoll(timeout_ms=-1, flags=0) takes 0 to 2 arguments, not 3"),
    (lambda p: type(p)(1), "poll() takes no arguments"),
    (lambda p: uselect.select([], 1, []), f"{SELECT}: argument 2: {ITERABLE} is required, not 'int'"),  # type: ignore
    (lambda p: uselect.select([], []), f"{SELECT} takes 3 to 4 arguments, not 2"),  # type: ignore
]


@pytest.mark.parametrize(("call", "message"), MESSAGES, ids=[message for _, message in MESSAGES])
def test_poll_1_what_a_wrong_argument_is_told(call: Callable[[Any], Any], message: str, poll: uselect.poll) -> None:
    with pytest.raises(TypeError) as caught:
        call(poll)
    assert str(caught.value) == message


def test_poll_1_a_subclass_may_take_arguments(pair: Pair) -> None:
    class Named(uselect.poll):
        def __init__(self, name: str, *, mask: int) -> None:
            self.name, self.mask = name, mask

    poll = Named("it", mask=POLLOUT)
    poll.register(pair[0], poll.mask)
    assert poll.poll() == [(pair[0], POLLOUT)] and poll.name == "it"


def test_poll_2_fileno_that_raises(poll: uselect.poll) -> None:
    class Broken:
        def fileno(self) -> int:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        poll.register(Broken())
    with pytest.raises(KeyError):
        poll.unregister(Broken())


@pytest.mark.parametrize(("fd", "error"), [(-1, OSError), (10**6, OSError), (2**31, ValueError), (10**30, ValueError)])
def test_poll_2_what_is_no_open_descriptor(fd: int, error: type[Exception], poll: uselect.poll) -> None:
    with pytest.raises(error):
        poll.register(fd, POLLIN)
    with pytest.raises(KeyError):
        poll.unregister(fd)


def test_poll_2_unknown_objects(poll: uselect.poll, pair: Pair) -> None:
    for thing in (pair[0], 3, None, "x", object()):
        with pytest.raises(KeyError) as caught:
            poll.unregister(thing)
        assert caught.value.args[0] is thing
        poll.unregister(thing, False)
        poll.unregister(thing, throw=False)
        assert error_of(poll.modify, thing, POLLIN) == errno.ENOENT


@pytest.mark.parametrize("mask", [-1, 0x10000, 2**31, 2**63, 10**30, -(10**30)])
def test_poll_2_what_is_no_mask(mask: int, poll: uselect.poll, pair: Pair) -> None:
    poll.register(pair[0], POLLOUT)
    for function, thing in ((poll.register, pair[1]), (poll.register, pair[0]), (poll.modify, pair[0])):
        with pytest.raises(ValueError, match=f"mask.*: {mask}"):
            function(thing, mask)
    assert poll.poll() == [(pair[0], POLLOUT)]


# --- POLL-3


def test_poll_3_hup_and_err_come_unasked(poll: uselect.poll) -> None:
    with make_pair("unix") as (one, other):
        poll.register(one, 0)
        other.close()
        assert poll.poll() == [(one, POLLHUP)]
    reading, writing = os.pipe()
    with open(writing, "wb") as sink:
        os.close(reading)
        poll.register(sink, 0)
        assert (sink, POLLERR) in poll.poll()


def test_poll_3_eof_is_pollin(poll: uselect.poll, pair: Pair) -> None:
    poll.register(pair[0], POLLIN)
    pair[1].close()
    assert poll.poll()[0][1] & POLLIN
    assert pair[0].read() == b""


def test_poll_3_a_closed_socket_says_so_at_once(poll: uselect.poll, pair: Pair) -> None:
    one = pair[0]
    poll.register(one, POLLIN)
    one.close()
    for _ in range(3):
        ((thing, events),) = poll.poll()
        assert thing is one and events & POLLHUP
    poll.unregister(one)
    assert poll.poll(0) == []


def test_poll_3_a_closed_socket_cannot_be_registered(poll: uselect.poll, pair: Pair) -> None:
    pair[0].close()
    assert error_of(poll.register, pair[0]) == errno.EBADF


def test_poll_3_a_number_that_was_handed_out_anew_is_not_the_old_socket(poll: uselect.poll) -> None:
    one, other = usocket.socketpair()
    poll.register(one, POLLIN)
    one.close()
    fresh, peer = usocket.socketpair()
    with other, fresh, peer:
        peer.write(b"x")
        ((thing, events),) = poll.poll()
        assert thing is one and events & POLLHUP and not events & POLLIN
        poll.register(fresh, POLLIN)
        poll.unregister(one)
        assert poll.poll() == [(fresh, POLLIN)]


def test_poll_3_accept_is_pollin(poll: uselect.poll) -> None:
    with listener() as server, usocket.socket() as client:
        poll.register(server, POLLIN)
        assert poll.poll(0) == []
        client.connect(server.getsockname())
        assert poll.poll() == [(server, POLLIN)]
        server.accept()[0].close()


# --- POLL-4


@pytest.fixture
def many() -> Iterator[list[Pair]]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip("not enough descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    pairs = [usocket.socketpair() for _ in range(1000)]
    yield pairs
    for one, other in pairs:
        one.close()
        other.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_poll_4_one_of_many_and_all_of_many(many: list[Pair], poll: uselect.poll) -> None:
    for one, _ in many:
        poll.register(one, POLLIN)
    many[700][1].write(b"x")
    assert poll.poll() == [(many[700][0], POLLIN)]
    for _, other in many:
        other.write(b"x")
    assert {id(thing) for thing, _ in poll.poll()} == {id(one) for one, _ in many}
    for one, _ in many:
        poll.unregister(one)
    assert poll.poll(0) == []


# --- POLL-5: see also TIME-6 in test_timeouts.py


def test_poll_5_kept_bytes_count_however_the_socket_was_registered(pair: Pair) -> None:
    one, other = pair
    before, after = uselect.poll(), uselect.poll()
    before.register(one, POLLIN)
    other.write(b"abc")
    one.settimeout(0.02)
    error_of(one.read, 10)
    after.register(one, POLLIN)
    assert before.poll(0) == after.poll(0) == [(one, POLLIN)]
    assert one.read(3) == b"abc"
    assert before.poll(0) == after.poll(0) == []


def test_poll_5_what_else_the_system_shows_is_told_as_well(pair: Pair) -> None:
    one, other = pair
    poll = uselect.poll()
    poll.register(one)
    other.write(b"abc")
    one.settimeout(0.02)
    error_of(one.read, 10)
    assert [poll.poll(0) for _ in range(4)] == [[(one, POLLIN | POLLOUT)]] * 4
    assert [uselect.select([one], [one], [], 0) for _ in range(4)] == [([one], [one], [])] * 4


# --- POLL-6


def test_poll_6_all_threads_learn_of_a_close(poll: uselect.poll, pair: Pair) -> None:
    poll.register(pair[0], POLLIN)
    callers = [Caller(poll.poll, 20_000) for _ in range(4)]
    for caller in callers:
        caller.wait_until_blocked()
    pair[0].close()
    for caller in callers:
        ((thing, events),) = caller.finish()
        assert thing is pair[0] and events & POLLHUP


def test_poll_6_all_threads_learn_of_kept_bytes(poll: uselect.poll, pair: Pair) -> None:
    one, other = pair
    poll.register(one, POLLIN)
    one.settimeout(0.3)
    other.write(b"half")
    reader = Caller(error_of, one.read, 100)
    while poll.poll(0):  # until it has taken them
        pass
    callers = [Caller(poll.poll, 20_000) for _ in range(4)]
    for caller in callers:
        caller.wait_until_blocked()
    assert [caller.finish() for caller in callers] == [[(one, POLLIN)]] * 4
    assert reader.finish() == errno.ETIMEDOUT


# --- POLL-7


def test_poll_7_a_descriptor_closed_behind_its_back_is_told(poll: uselect.poll) -> None:
    reading, writing = os.pipe()
    poll.register(reading, POLLIN)
    assert poll.poll(0) == []
    os.close(reading)
    ((thing, events),) = poll.poll(20_000)
    assert thing == reading and events & POLLHUP and not events & POLLIN
    assert error_of(poll.modify, reading, POLLIN) == errno.EBADF
    poll.unregister(reading)
    assert poll.poll(0) == []
    os.close(writing)


def test_poll_7_a_duplicate_does_not_speak_for_the_number(poll: uselect.poll) -> None:
    reading, writing = os.pipe()
    fresh, peer = os.pipe()
    poll.register(reading, POLLIN)
    assert poll.poll(1) == []  # from now on it needs no number more
    duplicate = os.dup(reading)
    os.write(writing, b"x")
    os.close(reading)
    poll.unregister(reading)
    assert poll.poll(50) == []
    os.dup2(fresh, reading)
    poll.register(reading, POLLIN)
    assert poll.poll(0) == []
    os.write(peer, b"y")
    assert poll.poll(0) == [(reading, POLLIN)]
    for fd in (duplicate, writing, fresh, peer, reading):
        os.close(fd)


class Connection:
    """Something with a descriptor that is another after a while."""

    def __init__(self) -> None:
        self.connect()

    def connect(self) -> None:
        self.socket, self.peer = usocket.socketpair()

    def fileno(self) -> int:
        return self.socket.fileno()


@pytest.mark.parametrize("closes", [True, False])
def test_poll_7_registered_again_an_object_is_its_new_descriptor(poll: uselect.poll, closes: bool) -> None:
    one = Connection()
    poll.register(one, uselect.POLLIN)
    before, before_peer, held = one.socket, one.peer, os.open(os.devnull, os.O_RDONLY)
    if closes:
        before.close()
    one.connect()
    one.peer.write(b"x")
    poll.register(one, uselect.POLLIN)
    assert poll.poll(1000) == [(one, uselect.POLLIN)]
    os.close(held)
    for end in (before, before_peer, one.socket, one.peer):
        end.close()


def test_poll_7_registered_again_a_socket_is_what_it_was_made_anew(poll: uselect.poll) -> None:
    one, other = usocket.socketpair()
    other.close()
    poll.register(one, uselect.POLLIN)
    one.__init__(usocket.AF_INET, usocket.SOCK_DGRAM)  # type: ignore[misc]
    one.bind(("127.0.0.1", 0))
    one.sendto(b"x", one.getsockname())
    poll.register(one, uselect.POLLIN)
    assert poll.poll(1000) == [(one, uselect.POLLIN)]
    one.close()


def test_poll_7_registered_again_a_number_is_its_new_file(poll: uselect.poll, pair: Pair) -> None:
    reading, writing = os.pipe()
    poll.register(reading, POLLIN, "userdata")
    os.dup2(pair[0].fileno(), reading)
    poll.register(reading, POLLIN)
    assert poll.poll(0) == []
    pair[1].write(b"x")
    assert poll.poll() == [(reading, POLLIN, "userdata")]
    os.close(reading)
    os.close(writing)


# --- select


def test_poll_1_select_returns_the_objects(pair: Pair) -> None:
    one, other = pair
    assert uselect.select([one, other], [other], [], 0) == ([], [other], [])
    other.write(b"x")
    await_input(one)
    assert uselect.select([one, other], [one], [one], 0) == ([one], [one], [])
    assert uselect.select([one], [], []) == ([one], [], [])
    assert uselect.select((one,), iter([one, other]), {other}, None) == ([one], [one, other], [])
    assert one.read(1) == b"x"


def test_poll_1_select_takes_descriptors_and_files(pair: Pair) -> None:
    one, other = pair
    fd = one.fileno()
    with make_pair("unix") as (more, _), os.fdopen(os.dup(other.fileno()), "wb", buffering=0) as file:
        ready = uselect.select([fd], [fd, more, file], [file], 1.5)
    assert ready == ([], [fd, more, file], [])


@pytest.mark.parametrize("timeout", [0, 0.0, 0.01, 1e-9, True])
def test_poll_1_select_timeouts_expire(timeout: float, pair: Pair) -> None:
    assert uselect.select([pair[0]], [], [], timeout * 0.01) == ([], [], [])
    assert uselect.select([], [], [], timeout * 0.01) == ([], [], [])


@pytest.mark.parametrize("arguments", [(), (None,), (-1,), (-0.5,), (10**6,)])
def test_poll_1_select_waits(arguments: tuple[Any, ...], pair: Pair) -> None:
    caller = Caller(uselect.select, [pair[0]], [], [], *arguments)
    caller.wait_until_blocked()
    pair[1].write(b"x")
    assert caller.finish() == ([pair[0]], [], [])


def test_poll_3_select_returns_what_has_ended_wherever_it_is_asked_for(pair: Pair) -> None:
    one, other = pair
    other.close()
    assert uselect.select([one], [], [], 10) == ([one], [], [])
    closing = Caller(uselect.select, [], [], [one])
    one.close()
    try:
        assert closing.finish() == ([], [], [one])
    except OSError as error:  # it was closed before it could be registered
        assert error.errno == errno.EBADF


def test_poll_5_select_counts_kept_bytes(pair: Pair) -> None:
    one, other = pair
    other.write(b"half")
    one.settimeout(0.02)
    error_of(one.read, 10)
    assert uselect.select([one], [], [], 0) == ([one], [], [])


def test_poll_2_select_refuses_what_cannot_be_polled(pair: Pair) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    pair[0].close()
    for bad in (reading, -1, pair[0]):
        assert error_of(uselect.select, [bad], [], [], 0) == errno.EBADF
        assert error_of(uselect.select, [], [bad], [], 0) == errno.EBADF
        assert error_of(uselect.select, [], [], [bad], 0) == errno.EBADF
    for thing in (None, "x", 1.5, object()):
        with pytest.raises(TypeError):
            uselect.select([thing], [], [], 0)  # type: ignore[list-item]
    with pytest.raises(TypeError):
        uselect.select(1, [], [], 0)  # type: ignore[arg-type]
    for timeout in (float("nan"), float("inf"), 1e300):
        with pytest.raises(ValueError, match="timeout"):
            uselect.select([], [], [], timeout)


def test_poll_1_a_signal_that_raises_ends_select(pair: Pair) -> None:
    """TIME-5."""

    def handler(count: int) -> None:
        if count == 3:
            raise ZeroDivisionError

    with alarms(handler), pytest.raises(ZeroDivisionError):
        uselect.select([pair[0]], [], [])


def test_poll_4_select_leaks_nothing(pair: Pair) -> None:
    uselect.select(pair, pair, pair, 0)
    before = sys.getrefcount(pair[0]), len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        uselect.select(pair, pair, [pair[0].fileno()], 0)
        assert error_of(uselect.select, pair, [-1], [], 0) == errno.EBADF
    assert (sys.getrefcount(pair[0]), len(os.listdir("/proc/self/fd"))) == before


# --- Life


def test_poll_1_keeps_its_objects_alive_and_lets_them_go(poll: uselect.poll) -> None:
    class Userdata:
        pass

    one, other = usocket.socketpair()
    data = Userdata()
    watches = weakref.ref(one), weakref.ref(data)
    poll.register(one, POLLOUT, data)
    del one, data
    gc.collect()
    assert all(watch() is not None for watch in watches)
    ((thing, _, data),) = poll.ipoll()
    thing.close()
    poll.unregister(thing)
    del thing, data
    assert [watch() for watch in watches] == [None, None]
    other.close()


def test_poll_1_a_cycle_through_userdata_is_collected() -> None:
    class Cyclic(uselect.poll):
        pass

    for cls in (uselect.poll, Cyclic):
        with make_pair("unix") as (one, other):
            poll = cls()
            watch = weakref.ref(poll)
            poll.register(one, POLLOUT, poll)
            poll.register(other.fileno(), POLLOUT, [poll])
            del poll
            gc.collect()
            assert watch() is None
            assert gc.garbage == []


def test_poll_1_what_goes_on_while_results_are_made_does_no_harm(poll: uselect.poll) -> None:
    """A finaliser that the garbage collector runs in the middle unregisters everything."""

    class Trap:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            for thing in list(registered):
                poll.unregister(thing, False)

    pairs = [usocket.socketpair() for _ in range(50)]
    registered = [socket for both in pairs for socket in both]
    threshold = gc.get_threshold()
    try:
        for _ in range(20):
            for socket in registered:
                poll.register(socket, POLLOUT, [])
            Trap()
            gc.set_threshold(1)
            assert len(poll.poll(0)) in (0, 100)
            gc.set_threshold(*threshold)
    finally:
        gc.set_threshold(*threshold)
        for socket in registered:
            socket.close()


def test_poll_1_a_handler_may_unregister_during_poll(poll: uselect.poll, pair: Pair) -> None:
    poll.register(pair[0], POLLIN, [])

    def handler(count: int) -> None:
        if count == 2:
            poll.unregister(pair[0])
        elif count == 3:
            poll.register(pair[1], POLLOUT, "from the handler")

    with alarms(handler):
        assert list(poll.ipoll()) == [(pair[1], POLLOUT, "from the handler")]


def test_poll_1_other_threads_may_register_during_poll(poll: uselect.poll, pair: Pair) -> None:
    poll.register(pair[0], POLLIN)
    caller = Caller(poll.poll)
    caller.wait_until_blocked()
    more = [usocket.socketpair() for _ in range(100)]
    for one, _ in more:
        poll.register(one, POLLIN)
    more[50][1].write(b"x")
    assert caller.finish() == [(more[50][0], POLLIN)]
    for one, other in more:
        one.close()
        other.close()


def test_poll_1_many_threads_on_one_poll(poll: uselect.poll, pair: Pair) -> None:
    poll.register(pair[0], POLLIN)
    callers = [Caller(poll.poll) for _ in range(4)]
    for caller in callers:
        caller.wait_until_blocked()
    pair[1].write(b"x")
    assert [caller.finish() for caller in callers] == [[(pair[0], POLLIN)]] * 4


def test_poll_1_a_child_has_a_poll_of_its_own() -> None:
    """What the child changes is not changed for its parent, and the other way round."""
    done = run_python(
        "import os, usocket, uselect\n"
        "one, other = usocket.socketpair()\n"
        "poll = uselect.poll()\n"
        "poll.register(one, uselect.POLLIN)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    poll.unregister(one); assert poll.poll(0) == []\n"
        "    poll.register(other, uselect.POLLOUT); assert poll.poll() == [(other, uselect.POLLOUT)]\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "other.write(b'x')\n"
        "assert poll.poll() == [(one, uselect.POLLIN)]\n"
        "one.close(); other.close(); print('done')\n"
    )
    assert done.stdout == "done\n"


def test_poll_1_is_subclassable_and_weakly_referable() -> None:
    class Named(uselect.poll):
        name = "x"

    poll = Named()
    assert (poll.poll(0), poll.name, weakref.ref(poll)()) == ([], "x", poll)


def test_poll_4_a_poll_leaks_nothing(pair: Pair) -> None:
    poll = uselect.poll()
    poll.register(pair[0])
    poll.poll()
    before = sys.getrefcount(pair[0]), len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        poll.register(pair[0], POLLOUT, object())
        poll.poll()
        list(poll.ipoll())
        uselect.poll().register(pair[0])
    assert (sys.getrefcount(pair[0]), len(os.listdir("/proc/self/fd"))) == before


# --- POLL-4

COUNTED_CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

int times_asked = 0;

int clock_gettime(clockid_t clock, struct timespec *now) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    times_asked++;
    return real(clock, now);
}
"""


def test_poll_4_who_does_not_wait_asks_for_no_time(tmp_path: Path) -> None:
    """A poll that may not wait, and one that need not."""
    program = """
import ctypes, uselect, usocket
asked = ctypes.c_int.in_dll(ctypes.CDLL(None), "times_asked")
one, other = usocket.socketpair()
poll = uselect.poll()
poll.register(one, uselect.POLLIN)
poll.poll(0)
before = asked.value
for _ in range(100):
    poll.poll(0)
other.write(b"x")
for _ in range(100):
    poll.poll(0)
    poll.poll(-1)
    poll.poll(5000)
print(asked.value - before)
assert not poll.poll(10) if one.read(1) else None
assert asked.value > before
"""
    asked = int(run_python(program, LD_PRELOAD=preloaded(COUNTED_CLOCK, tmp_path)).stdout)
    assert asked < 10  # a few may be the interpreter's own
