"""A page reaches people over real protocols, level after level, until somebody acknowledges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.roster_file import load_roster
from notifier.signing import SIGNATURE, TIMESTAMP, genuine
from notifier.soc.acknowledge import acknowledge
from notifier.soc.pager import Pager
from notifier.soc.paging import Limits, Paging
from notifier.soc.policy import nothing_muted
from notifier.soc.queue import Queue
from notifier.soc.ways import Hook, Message, NotTaken, Push, Twilio, Ways

from .made import HOSTILE, MINUTE, START, START_MS, Clock, item, made_metrics, queue
from .receivers import Http, Request
from .test_paging import QUIET

ROSTER = """
timezone = "Asia/Taipei"
[[person]]
name = "chen"
channels = ["sms:+886900000001", "phone:+886900000001"]
[[person]]
name = "lin"
channels = ["sms:+886900000002"]
[[person]]
name = "wu"
channels = ["phone:+886900000003"]
[[level]]
name = "analyst"
escalate_after = "10m"
shift = [
  {days = ["mon"], from = "08:00", to = "20:00", people = ["chen", "lin"]},
  {days = ["tue"], from = "08:00", to = "20:00", people = ["lin"]},
]
[[level]]
name = "lead"
escalate_after = "15m"
shift = [{days = ["mon"], from = "00:00", to = "00:00", people = ["wu"]}]
[first]
high = "analyst"
critical = "lead"
"""
"""START is a Monday, 14:00 in Taipei."""


class People:
    """Ways that keep whom they told, and do not answer while they are broken."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, Message]] = []
        self.broken: set[str] = set()

    def way(self, name: str) -> Callable[[str, Message], Any]:
        """One way."""

        async def send(address: str, message: Message) -> None:
            if name in self.broken or address in self.broken:
                raise NotTaken("broken")
            self.told.append((name, address, message))

        return send

    @property
    def ways(self) -> Ways:
        """SMS and calls."""
        return {"sms": self.way("sms"), "phone": self.way("phone")}

    def drain(self) -> list[tuple[str, str]]:
        """Whom it told since it was asked last: way and last digit."""
        told, self.told = self.told, []
        return sorted((way, address[-1]) for way, address, _ in told)


class Desk:
    """A queue, its pages and its people, by a clock of the test's."""

    def __init__(self, folder: Path, roster: str = ROSTER) -> None:
        (folder / "roster.toml").write_text(roster)
        self.clock = Clock()
        self.people = People()
        self.queue: Queue = queue(folder, self.clock)
        metrics = made_metrics()
        self.paging = Paging(
            self.queue, Limits(quiet=lambda _: QUIET, per_hour=5), nothing_muted, metrics
        )
        self.unreachable: list[int] = []
        self.reached: list[int] = []
        self.pager = Pager(
            store=self.queue.store,
            roster=load_roster(folder / "roster.toml"),
            ways=self.people.ways,
            metrics=metrics,
            unreachable=self.unreachable.append,
            reached=self.reached.append,
        )

    def see(self, number: int = 1, **fields: Any) -> None:
        """An alert that arrives now."""
        self.queue.put([item(number, **fields)])
        self.paging.look(self.clock.now)

    def told(self, after: int = 0) -> list[tuple[str, str]]:
        """Whom is told when so much more time has passed."""
        self.clock.pass_(after)
        for _ in range(5):
            asyncio.run(self.pager.turn(self.clock.now))
        return self.people.drain()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give a desk with two levels."""
    return Desk(tmp_path)


def test_everybody_on_duty_is_told_over_their_first_channel(desk: Desk) -> None:
    """Once; the next level comes after its time and not before."""
    desk.see()

    assert desk.told() == [("sms", "1"), ("sms", "2")]
    assert desk.told(10 * MINUTE - 1) == []
    assert desk.told(1) == [("phone", "3")]


def test_an_acknowledgement_ends_the_escalation(desk: Desk) -> None:
    """Nobody further is woken."""
    desk.see()
    desk.told()
    acknowledge(desk.queue.store, [item(1)], "chen", "blocked", desk.clock.now)

    assert desk.told(10 * MINUTE) == []
    assert desk.told(24 * 60 * MINUTE) == []


def test_critical_wakes_the_level_that_the_roster_says(desk: Desk) -> None:
    """At once, not by way of the analysts."""
    desk.see(severity="critical")

    assert desk.told() == [("phone", "3")]


def test_the_last_level_is_paged_three_times_and_then_it_is_over(desk: Desk) -> None:
    """Until then every fifteen minutes; the end is counted."""
    desk.see()
    desk.told()
    desk.told(10 * MINUTE)

    assert [desk.told(15 * MINUTE) for _ in range(4)] == [[("phone", "3")]] * 2 + [[]] * 2
    (ended,) = desk.queue.store.execute("SELECT ended FROM pages").fetchone()
    assert ended == "unanswered"


def test_a_channel_that_fails_gives_way_to_the_next(desk: Desk) -> None:
    """Of the same person, in the same round."""
    desk.people.broken = {"sms"}
    desk.see()

    assert desk.told() == [("phone", "1")]


def test_a_level_that_cannot_be_reached_gives_way_at_once(desk: Desk) -> None:
    """Nobody waits ten minutes for people whose telephones are dead."""
    desk.people.broken = {"+886900000001", "+886900000002"}
    desk.see()

    assert desk.told() == [("phone", "3")]
    assert desk.unreachable == []


def test_when_nobody_can_be_reached_it_is_told_and_tried_again(desk: Desk) -> None:
    """Every minute from the first level on, and it counts as no round."""
    desk.people.broken = {"sms", "phone"}
    desk.see()
    assert desk.told() == []
    assert desk.unreachable == [START_MS]

    for _ in range(30):
        desk.told(MINUTE)
    assert len(desk.unreachable) == 31
    desk.people.broken = set()
    assert desk.told(MINUTE) == [("sms", "1"), ("sms", "2")]
    assert len(desk.reached) == 1


def test_a_hole_in_the_plan_wakes_everybody(desk: Desk) -> None:
    """On Wednesday nobody is on duty at any level."""
    desk.clock.pass_(2 * 24 * 60 * MINUTE)
    desk.see(opened_at=datetime.fromtimestamp(desk.clock.now / 1000, tz=UTC).isoformat())

    assert desk.told() == [("phone", "3"), ("sms", "1"), ("sms", "2")]


def test_a_process_killed_in_a_round_does_not_tell_those_again_who_know(desk: Desk) -> None:
    """What was noted stands; the rest of the round goes on."""
    desk.see()
    desk.queue.store.execute("INSERT INTO calls VALUES (1, 0, 'chen', ?, 'sms')", (desk.clock.now,))

    assert desk.told() == [("sms", "2")]


def test_a_page_grown_graver_leaves_the_lesser_one_behind(desk: Desk) -> None:
    """The first page has nothing to say any more."""
    desk.see()
    desk.told()
    desk.see(revision=2, severity="critical")

    assert desk.told() == [("phone", "3")]
    acknowledge(desk.queue.store, [item(1, 2, severity="critical")], "wu", "x", desk.clock.now)
    assert desk.told(60 * MINUTE) == []


def test_texts_are_short_escaped_and_name_what_to_type(desk: Desk) -> None:
    """A hostile subject forges no second line; the id that is shown is enough to acknowledge."""
    desk.see(subject=HOSTILE * 20, system=HOSTILE, rule="ip_account_spray")
    asyncio.run(desk.pager.turn(desk.clock.now))

    text = desk.people.told[0][2].text
    assert text.isprintable()
    assert len(text) < 320
    assert text.endswith(f"Ack: loginward alerts ack {item(1).id[:8]}")


def message() -> Message:
    """A page."""
    return Message(
        key="page:1:0", text='HIGH <&"> 全形', spoken='an alert <&">', facts={"number": 1}
    )


def twilio(http: Http) -> Twilio:
    """An account at a local server."""
    return Twilio(
        account="AC" + "0" * 32, token="t0ken", sender="+886900000000", base=http.url, timeout=60
    )


def answered(request: Request) -> tuple[int, bytes]:
    """What Twilio answers to a message or a call that it takes."""
    return 201, json.dumps({"sid": "SM1", "status": "queued", "account_sid": request.path}).encode()


def test_sms_and_calls_go_by_twilio_s_own_client() -> None:
    """Form, path and account as Twilio's interface has them; what is spoken is escaped XML."""
    http = Http(answered)
    http.headers = {"Content-Type": "application/json"}

    async def run() -> None:
        await twilio(http).sms("+886900000001", message())
        await twilio(http).call("+886900000001", message())

    with http.running():
        asyncio.run(run())

    sms, call = http.requests
    assert sms.path == f"/2010-04-01/Accounts/AC{'0' * 32}/Messages.json"
    assert parse_qs(sms.body.decode()) == {
        "To": ["+886900000001"],
        "From": ["+886900000000"],
        "Body": ['HIGH <&"> 全形'],
    }
    assert sms.headers["authorization"].startswith("Basic ")
    assert call.path.endswith("/Calls.json")
    (twiml,) = parse_qs(call.body.decode())["Twiml"]
    assert twiml.count("an alert &lt;&amp;") == 2


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_a_refusal_of_twilio_shows_no_number(status: int) -> None:
    """Its sentence may hold the number that was dialled; logs are read by many."""

    def answer(_: Request) -> tuple[int, bytes]:
        said = {"code": 21211, "message": "+886900000001 is not valid", "status": status}
        return status, json.dumps(said).encode()

    with Http(answer).running() as http, pytest.raises(NotTaken) as caught:
        asyncio.run(twilio(http).sms("+886900000001", message()))

    assert str(caught.value) == f"twilio HTTP {status}, code 21211"
    with pytest.raises(NotTaken, match=r"^twilio: ConnectionError$"):
        asyncio.run(twilio(http).sms("+886900000001", message()))


def test_a_page_by_webhook_is_signed_like_an_alert() -> None:
    """One receiver can check both by the same few lines."""

    async def run(url: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            await Hook(secret=b"s", client=client, now=lambda: START).post(url, message())

    with Http().running() as http:
        asyncio.run(run(f"{http.url}/page"))

    (request,) = http.requests
    assert json.loads(request.body)["page"] == {"number": 1}
    assert genuine(
        b"s",
        request.body,
        timestamp=request.headers[TIMESTAMP.lower()],
        signature=request.headers[SIGNATURE.lower()],
        now=START,
    )
    with Http(lambda _: (302, b"")).running() as http, pytest.raises(NotTaken, match="HTTP 302"):
        asyncio.run(run(http.url))


def test_a_push_goes_by_fcm_with_a_token_of_the_service_account(tmp_path: Path) -> None:
    """The assertion is exchanged at the account's own token address, then the message is sent."""

    def answer(request: Request) -> tuple[int, bytes]:
        if request.path == "/token":
            return 200, b'{"access_token": "access", "expires_in": 3600, "token_type": "Bearer"}'
        return 200, b'{"name": "projects/p/messages/1"}'

    http = Http(answer)
    http.headers = {"Content-Type": "application/json"}
    with http.running():
        key = rsa.generate_private_key(65537, 2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        account = {
            "type": "service_account",
            "project_id": "p",
            "private_key_id": "k",
            "private_key": pem,
            "client_email": "x@p.example",
            "token_uri": f"{http.url}/token",
        }
        (tmp_path / "account.json").write_text(json.dumps(account))
        (tmp_path / "chen.token").write_text("device-token\n")

        async def run(token: str) -> None:
            async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
                push = Push(account_file=tmp_path / "account.json", base=http.url, client=client)
                await push.push(str(tmp_path / token), message())

        asyncio.run(run("chen.token"))
        with pytest.raises(NotTaken, match="push: LoginwardError"):
            asyncio.run(run("nobody.token"))

    sent = http.requests[1]
    assert sent.path == "/v1/projects/p/messages:send"
    assert sent.headers["authorization"] == "Bearer access"
    assert json.loads(sent.body)["message"]["token"] == "device-token"
