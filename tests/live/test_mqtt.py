"""Telemetry through a real broker, which goes away and comes back."""

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from brokers import MOSQUITTO, SAVES_AT_ONCE, Running
from twin.errors import InputError
from twin.live import mqtt
from twin.live.act import Adviser, Asked
from twin.live.advice import choices
from twin.live.mqtt import PASSWORD, Broker, Subscription
from twin.live.plant.commands import Noted
from twin.live.plant.emit import lines, paced
from twin.live.plant.flight import Flight
from twin.live.plant.hidden import Anomalies, Spread
from twin.live.plant.service import Service
from twin.live.plant.telemetry import Telemetry
from twin.live.publish import Orders, publish
from twin.live.session import mirror, resume
from twin.live.state import Options
from twin.scenario import loader

needs_broker = pytest.mark.skipif(
    MOSQUITTO is None and os.environ.get("CI") != "true", reason="mosquitto is not installed"
)


@pytest.fixture
def broker(tmp_path, request):
    folder = tmp_path / "broker"
    folder.mkdir()
    running = Running(folder, *getattr(request, "param", ()))
    yield running
    running.kill()


def at(running, client_id, **more):
    known = {"host": "127.0.0.1", "topic": "t", "user": "", "tls": False, "ca_file": None}
    return Broker(**known | {"port": running.port, "client_id": client_id} | more)


@needs_broker
def test_lines_come_in_order_and_none_is_lost(broker):
    come = Subscription(at(broker, "mirror"), idle_s=2.0)
    come.on_idle = come.acknowledge
    lines = [f'{{"n":{k}}}' for k in range(3_000)]
    assert publish(at(broker, "plant"), lines) == len(lines)
    assert [line.decode() for line in come] == lines
    come.close()


@needs_broker
def test_what_was_not_acknowledged_comes_again(broker):
    first = Subscription(at(broker, "mirror"), idle_s=1.0)
    publish(at(broker, "plant"), [f"{k}" for k in range(20)])
    it = iter(first)
    got = [next(it) for _ in range(20)]
    first._unsaid = first._unsaid[:12]
    first.acknowledge()
    first.close()
    publish(at(broker, "plant"), ["later"])  # while the mirror is away
    second = Subscription(at(broker, "mirror"), idle_s=1.0)
    again = list(second)
    # Those that were acknowledged may come again if that did not reach the broker: none is missing.
    assert again[-1] == b"later"
    assert again[:-1] == got[1 - len(again) :]
    assert len(again) > 8
    second.acknowledge()
    second.close()


@needs_broker
@pytest.mark.parametrize("broker", [SAVES_AT_ONCE], indirect=True)
def test_a_broker_that_is_killed_loses_nothing_that_was_published(broker):
    come = Subscription(at(broker, "mirror"), idle_s=6.0)
    lines = [f"{k}" for k in range(400)]

    def slowly():
        for line in lines:
            time.sleep(0.005)
            yield line

    plant = threading.Thread(target=publish, args=(at(broker, "plant"), slowly()))
    plant.start()
    time.sleep(0.7)
    broker.kill()
    time.sleep(0.5)
    broker.start()
    found = []
    for line in come:
        found.append(line.decode())
        come.acknowledge()
    plant.join()
    come.close()
    assert sorted(set(found), key=int) == lines


@needs_broker
def test_a_mirror_by_mqtt_is_the_mirror_of_the_lines(broker, scenario, flown, live_run, tmp_path):
    said, _ = flown
    where = at(broker, "mirror")
    Subscription(where, idle_s=0.1).close()  # the broker keeps for it what comes meanwhile
    publish(at(broker, "plant"), [line.decode().strip() for line in said])

    class StoppedError(Exception):
        pass

    class Half(Subscription):
        def __iter__(self):
            for number, line in enumerate(super().__iter__()):
                if number == 3_000:
                    raise StoppedError
                yield line

    with pytest.raises(StoppedError):
        mirror(scenario, lambda skip: Half(where, idle_s=2.0), runs_dir=tmp_path / "runs")
    (partial,) = (tmp_path / "runs").glob("*.partial")
    run = resume(partial, lambda skip: Subscription(where, idle_s=2.0))
    taken = [r.manifest["conclusion"]["live"]["messages"]["taken"] for r in (run, live_run)]
    assert taken[0] == taken[1]
    assert run.table("steps").equals(live_run.table("steps"))


@needs_broker
@pytest.mark.parametrize("broker", [SAVES_AT_ONCE], indirect=True)
def test_commands_wait_for_a_broker_and_the_mirror_does_not(broker, monkeypatch):
    monkeypatch.setattr("twin.live.publish._ORDERS_WAIT_S", 1.0)
    where = at(broker, "plant", topic="commands")
    Subscription(where).close()  # the broker keeps for it what comes meanwhile
    broker.kill()
    began = time.monotonic()
    with Orders(at(broker, "act", topic="commands")) as send:
        for k in range(50):
            send(f"{k}")
        with pytest.raises(InputError, match="50 commands wait: "):
            send("one more")
        assert time.monotonic() - began < 1.0
    assert send.remarks == [f"127.0.0.1:{broker.port}: 50 commands may not have come: "
                            "Connection refused"]  # fmt: skip
    with Orders(at(broker, "act", topic="commands")) as send:
        send("first")
        broker.start()
        source = Subscription(where, idle_s=10.0)
        assert next(iter(source)) == b"first"
    assert send.remarks == []
    source.close()


@needs_broker
def test_the_loop_closed_by_a_broker(broker, tmp_path):
    """The plant flies on while advice is made, and carries the command out when it comes."""
    changes = {
        "simulation.orbits": None, "simulation.step_s": 60.0, "simulation.steps": 120,
        "bus.battery_wh": 150.0, "workload.tokens_per_step": 8,
    }  # fmt: skip
    weak = loader.load("small", changes)
    flight = Flight(weak, spread=Spread(), anomalies=Anomalies(), seed=3)
    orders = Subscription(at(broker, "orders", topic="commands"))
    flight.service = Service(flight, seed=3, commands=Noted(orders.come, None, orders.acknowledge))
    source = Subscription(at(broker, "mirror"), idle_s=3.0)
    asked = Asked(every=40, wanted=choices(["energy-aware"]), orbits=1.0, members=2)

    with (
        Orders(at(broker, "act", topic="commands")) as send,
        Adviser(asked, send) as adviser,
    ):

        def said():
            """Fly on until there is advice, more slowly where the machine is busy."""
            found = lines(flight, Telemetry(flight, seed=3))
            for number, line in enumerate(paced(found, 900.0)):
                if number > 48 * 42 and not adviser.sent:
                    time.sleep(0.02)
                yield line

        plant = threading.Thread(target=publish, args=(at(broker, "plant"), said()))
        plant.start()
        run = mirror(
            weak, lambda skip: source, runs_dir=tmp_path, options=Options(watch=adviser.watch)
        )
    plant.join()
    orders.close()
    assert adviser.sent >= 1
    assert flight.service.controller.plans >= 1
    assert run.table("steps").to_pandas()["placement"].max() >= 1


@needs_broker
def test_tls_and_password(tmp_path, monkeypatch):
    openssl, passwd = shutil.which("openssl"), shutil.which("mosquitto_passwd")
    if openssl is None or passwd is None:
        pytest.skip("openssl or mosquitto_passwd is not installed")
    key, certificate, users = (tmp_path / name for name in ("key.pem", "ca.pem", "users"))
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", key, "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    key.chmod(0o644)
    subprocess.run([passwd, "-b", "-c", users, "ops", "secret"], check=True, capture_output=True)
    users.chmod(0o644)
    more = (f"certfile {certificate}", f"keyfile {key}", f"password_file {users}")
    running = Running(tmp_path, *more, "allow_anonymous false")
    try:
        monkeypatch.setenv(PASSWORD, "secret")
        said = {"user": "ops", "tls": True, "ca_file": certificate}
        come = Subscription(at(running, "mirror", **said), idle_s=2.0)
        publish(at(running, "plant", **said), ["one", "two"])
        assert list(come) == [b"one", b"two"]
        come.close()
        monkeypatch.setenv(PASSWORD, "wrong")
        with pytest.raises(InputError, match="it refuses: Not authorized"):
            publish(at(running, "other", **said), ["x"], most_s=2.0)
    finally:
        running.kill()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mqtt://ops:secret@host/t", "mqtt://host/t: give the password by TWIN_MQTT_PASSWORD"),
        ("mqtt:///t", "mqtt:///t: must look like mqtt://HOST"),
        ("mqtt://host:99999", "the port must be from 0 to 65535"),
        ("mqtt://host/a/+", "a topic has no"),
    ],
)
def test_a_wrong_address_is_refused_and_no_password_shown(text, said):
    with pytest.raises(InputError) as caught:
        mqtt.broker(text, client_id="c")
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_address_says_all():
    found = mqtt.broker("mqtts://ops@sat.example:1234/fleet/a", client_id="c", ca_file=Path("ca"))
    assert (found.host, found.port, found.topic, found.user) == (
        "sat.example",
        1234,
        "fleet/a",
        "ops",
    )
    assert found.tls
    assert mqtt.broker("mqtt://host", client_id="c").port == 1883
    assert mqtt.is_address("mqtt://host")
    assert not mqtt.is_address("said.jsonl")
