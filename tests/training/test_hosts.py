"""How the processes of a run find each other, talk, and notice that one of them is gone."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import jax.numpy as jnp
import numpy as np
import pytest

import scoutrl
from scoutrl import Hosts, ScoutError
from scoutrl.cli import main
from scoutrl.training import channel as channels
from scoutrl.training import joining
from scoutrl.training.channel import Channel, EndedError
from scoutrl.training.relay import relay
from scoutrl.training.signals import Interrupted, StopSignals
from scoutrl.training.team import ALONE, Team


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch):
    for name in ("SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"):
        monkeypatch.delenv(name, raising=False)


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture(autouse=True)
def closed(monkeypatch):
    """All connections are, in the end."""
    made = []
    create = Channel.__init__

    def init(self, connection):
        made.append(connection)
        create(self, connection)

    monkeypatch.setattr(Channel, "__init__", init)
    monkeypatch.setattr(channels, "_PARTING", 0.05)
    yield
    for connection in made:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def connected() -> tuple[Channel, Channel]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        return Channel(near), Channel(server.accept()[0])


def team_of(count: int) -> list[Team]:
    """All of a team, in this process."""
    pairs = [connected() for _ in range(1, count)]
    for pair in pairs:
        for end in pair:
            end.start()
    leader = Team(0, count, [first for first, _ in pairs])
    return [leader, *(Team(i, count, [second]) for i, (_, second) in enumerate(pairs, 1))]


@pytest.mark.parametrize(
    ("hosts", "shards", "said"),
    [
        (Hosts("10.0.0.1", 2, 0), 2, "coordinator must be HOST:PORT, for example 10.0.0.1:7733; '10.0.0.1' is not."),
        (Hosts("10.0.0.1:99999", 2, 0), 2, "coordinator must be HOST:PORT"),
        (Hosts("a:1"), 2, "processes is missing"),
        (Hosts("a:1", 2), 2, "process is missing"),
        (Hosts("a:1", 1, 0), 2, "processes must be 2 or more"),
        (Hosts("a:1", 2, 2), 2, "the last of 2 processes is process 1; there is no 2."),
        (Hosts("a:1", 2, 1), 1, "2 processes train a run of as many shards, or a multiple; set shards."),
        (Hosts("a:1", 2, 1), 3, r"shards \(3\) must be a multiple of the number of processes \(2\)."),
    ],
)
def test_what_cannot_be_is_told_in_one_line(hosts, shards, said):
    with pytest.raises(ScoutError, match=f"^{said}"):
        hosts.checked(shards)


def test_a_launcher_says_how_many_there_are_and_which_this_one_is(monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    monkeypatch.setenv("SLURM_PROCID", "3")
    assert Hosts("[::1]:80").checked(8) == Hosts("[::1]:80", 4, 3)
    assert Hosts("[::1]:80").address == ("::1", 80)


def test_several_seeds_and_options_without_an_address_are_refused(tmp_path, capsys):
    with pytest.raises(ScoutError, match=r"^several processes train one run of one seed"):
        scoutrl.train("rl2", "bus", out=tmp_path, seeds=2, settings={"shards": 2}, hosts=Hosts("a:1", 2, 0))
    assert main(["train", "rl2", "bus", "--process", "1"]) == 2
    assert capsys.readouterr().err == "scout: --process is for several processes; add --coordinator HOST:PORT.\n"


def test_arrays_come_as_they_were_sent():
    first, second, third = team_of(3)
    parts = [{"a": np.arange(6.0).reshape(2, 3).T, "empty": np.zeros((0, 2), bool)}, {"b": np.ones(2, jnp.bfloat16)}]
    first.order("state", parts, number=1)
    for team, part in zip((second, third), parts, strict=True):
        (message,) = team.hear()
        assert (message.kind, message.content) == ("state", {"number": 1})
        for name, array in part.items():
            assert message.arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(message.arrays[name], array)
        assert team.collect({"mine": np.full(1, team.process)})[0]["mine"] == team.process
    assert [int(each["mine"][0]) for each in first.collect({"mine": np.zeros(1)})] == [0, 1, 2]


def test_who_is_gone_is_named_while_others_wait_for_a_computation():
    first, second, third = team_of(3)
    third._channels[0]._connection.shutdown(socket.SHUT_RDWR)
    with pytest.raises(ScoutError, match=r"^process 2 \(127.0.0.1\) has ended. The last checkpoint is kept"):
        first.wait(Future())
    failed = Future()
    failed.set_exception(ValueError("a collective operation failed"))
    first._channels[0].close("the disk is full.")
    with pytest.raises(ScoutError, match=r"^process 0 has stopped: the disk is full.$"):
        second.wait(failed)
    with pytest.raises(ScoutError, match=r"^process 0 has stopped: the disk is full.$"):
        list(second.hear())


def test_what_is_computed_counts_though_all_end_meanwhile():
    first, second = team_of(2)
    done = Future()
    first._channels[0].close()
    assert next(second.hear()).kind == channels.END
    threading.Timer(0.1, done.set_result, [7]).start()
    assert second.wait(done) == ALONE.wait(done) == 7


def test_who_is_silent_is_taken_for_lost(monkeypatch):
    monkeypatch.setattr(channels, "SILENCE", 0.1)
    one, _ = connected()
    one.start()
    with pytest.raises(EndedError, match="has not answered"):
        one.receive()


def test_signals_reach_the_first_and_its_end_the_others(monkeypatch):
    monkeypatch.setattr(channels, "_ALIVE_EVERY", 0.01)
    first, second = team_of(2)
    stop = StopSignals("this chunk", show=False)
    second.heed(stop)
    assert first.signum is None
    stop.received = 15
    while first.signum is None:
        time.sleep(0.01)
    assert first.signum == 15
    first._channels[0].close("Stopped and saved.", 15)
    with pytest.raises(Interrupted, match=r"^Stopped and saved.$") as stopped:
        list(second.hear())
    assert stopped.value.exit_code == 143


def meet(hosts: Hosts):
    there = joining._wait_for_others if hosts.process == 0 else joining._go_to_first
    assert hosts.processes is not None
    assert hosts.process is not None
    return there(hosts, hosts.processes, hosts.process, False)


def test_the_first_one_waits_for_all_that_belong_to_it_and_for_nobody_else():
    address = free_address()
    with ThreadPoolExecutor() as pool:
        others = [pool.submit(meet, Hosts(address, 3, 1)), pool.submit(meet, Hosts(address, 2, 1))]
        time.sleep(0.1)
        first = pool.submit(meet, Hosts(address, 3, 0))
        with pytest.raises(ScoutError, match="has refused this one: processes is 2 there and 3 here"):
            others[1].result()
        host, port = Hosts(address).address
        with socket.create_connection((host, port)) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ScoutError, match="has refused this one: process 1 has come already, or is none of 3"):
            meet(Hosts(address, 3, 1))
        last = pool.submit(meet, Hosts(address, 3, 2))
        assert len(first.result()[0]) == 2
        assert [len(one.result()[0]) for one in (others[0], last)] == [1, 1]


def test_waiting_comes_to_an_end(monkeypatch):
    monkeypatch.setattr(joining, "PATIENCE", 0.2)
    address = free_address()
    with pytest.raises(ScoutError, match=rf"^process 1, 2 of 3 did not come to {address} within 0 seconds"):
        meet(Hosts(address, 3, 0))
    with pytest.raises(ScoutError, match=rf"^process 0 cannot be reached at {address} \(Connection refused\)"):
        meet(Hosts(address, 2, 1))
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ScoutError, match="of this machine cannot be had"),
    ):
        meet(Hosts(f"127.0.0.1:{taken.getsockname()[1]}", 2, 0))


def test_the_relay_hides_the_end_of_who_is_behind_it():
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(("127.0.0.1", relay(*server.getsockname())))
        far, _ = server.accept()
        near.sendall(b"hear")
        assert far.recv(4) == b"hear"
        far.sendall(b"say")
        assert near.recv(3) == b"say"
        far.close()
        near.settimeout(0.2)
        with near, pytest.raises(TimeoutError):
            near.recv(1)


TOGETHER = """
import os, sys
from scoutrl import Hosts, ScoutError
from scoutrl.training.joining import joined
from scoutrl.training.signals import aside
import threading
try:
    with joined(Hosts(sys.argv[1], 2, int(sys.argv[2])), 4, False) as team:
        print([device.process_index for device in team.devices(4)])
        if not team.leads:
            sys.stdout.flush()
            os._exit(9)
        team.wait(aside(threading.Event().wait))
except ScoutError as error:
    print(error)
"""


@pytest.mark.slow
def test_jax_does_not_end_who_is_left_before_it_can_say_so():
    words = [sys.executable, "-c", TOGETHER, free_address()]
    both = [
        subprocess.Popen([*words, str(i)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for i in (0, 1)
    ]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [2, 9]
    assert said[1] == ("[0, 0, 1, 1]\n", "")
    assert said[0][0].startswith("[0, 0, 1, 1]\nprocess 1 (127.0.0.1) has ended. The last checkpoint is kept")
    assert said[0][1] == ""
