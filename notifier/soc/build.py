"""From settings to outputs, ways and roster; what cannot be used is told with its setting."""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from config.roster import Roster, Way
from config.roster_file import load_roster
from config.secret_files import read_password
from config.settings import Settings
from config.soc_sections import OutputsSettings
from detectors.errors import LoginwardError

from .output import Output
from .syslog import Receiver, Syslog
from .syslog_format import Sender
from .topic import Topic
from .ways import Hook, Push, Send, Twilio
from .webhook import Webhook


def names(settings: Settings) -> list[str]:
    """What `outputs` will be called."""
    chosen = settings.outputs
    given = {Webhook.name: chosen.webhook_url, Syslog.name: chosen.syslog_address}
    return [*(name for name, to in given.items() if to is not None), Topic.name]


def outputs(settings: Settings) -> list[Output]:
    """Those that are configured; the topic comes along, for our own alerts."""
    chosen, found = settings.outputs, list[Output]()
    if chosen.webhook_url is not None:
        found.append(
            Webhook(
                url=chosen.webhook_url,
                secret=secret(chosen),
                client=client(chosen),
                now=_now,
            )
        )
    if chosen.syslog_address is not None:
        found.append(_syslog(chosen, chosen.syslog_address))
    return [*found, Topic(settings.kafka, chosen.timeout.total_seconds())]


def roster(settings: Settings) -> Roster:
    """Who is paged. Raises SettingsError for a file that is wrong."""
    return load_roster(settings.roster.file)


def ways(settings: Settings, who: Roster) -> dict[Way, Send]:
    """The ways that are configured. Raises LoginwardError where the roster needs another one."""
    chosen, limit = settings.roster, settings.outputs.timeout.total_seconds()
    found: dict[Way, Send] = {}
    if chosen.twilio_account and chosen.twilio_token_file and chosen.twilio_sender:
        twilio = Twilio(
            account=chosen.twilio_account,
            token=read_password("roster.twilio_token_file", chosen.twilio_token_file),
            sender=chosen.twilio_sender,
            base=chosen.twilio_url,
            timeout=limit,
        )
        found |= {"sms": twilio.sms, "phone": twilio.call}
    if chosen.push_account_file is not None:
        push = Push(
            account_file=chosen.push_account_file,
            base=chosen.push_url,
            client=client(settings.outputs),
        )
        found["push"] = push.push
    if settings.outputs.webhook_secret_file is not None:
        hook = Hook(secret=secret(settings.outputs), client=client(settings.outputs), now=_now)
        found["webhook"] = hook.post
    _complete(who, found)
    return found


def secret(chosen: OutputsSettings) -> bytes:
    """What signs webhooks. Raises LoginwardError where the file cannot be used."""
    if chosen.webhook_secret_file is None:
        raise LoginwardError(
            "outputs.webhook_secret_file: is empty; name a file of one line, the shared secret"
        )
    return read_password("outputs.webhook_secret_file", chosen.webhook_secret_file).encode()


def client(chosen: OutputsSettings) -> httpx.AsyncClient:
    """A client that verifies, bounds its time and takes no proxy from the environment."""
    return httpx.AsyncClient(
        verify=_trust("outputs.webhook_cafile", chosen.webhook_cafile),
        timeout=chosen.timeout.total_seconds(),
        trust_env=False,
    )


def _syslog(chosen: OutputsSettings, address: str) -> Syslog:
    host, _, port = address.rpartition(":")
    return Syslog(
        Receiver(
            host=host.strip("[]"),
            port=int(port),
            transport=chosen.syslog_transport,
            tls=_tls(chosen) if chosen.syslog_transport == "tls" else None,
            timeout=chosen.timeout.total_seconds(),
        ),
        Sender(
            host=socket.gethostname(),
            enterprise=chosen.syslog_enterprise,
            largest=chosen.syslog_largest,
            text=chosen.syslog_format,
        ),
        time.monotonic,
    )


def _tls(chosen: OutputsSettings) -> ssl.SSLContext:
    context = _trust("outputs.syslog_cafile", chosen.syslog_cafile)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9662 asks for no less
    if chosen.syslog_certfile is not None:
        try:
            context.load_cert_chain(chosen.syslog_certfile, chosen.syslog_keyfile)
        except (OSError, ssl.SSLError) as failure:
            raise LoginwardError(
                f"outputs.syslog_certfile: {chosen.syslog_certfile} with "
                f"{chosen.syslog_keyfile}: {failure}; name a PEM certificate and its key"
            ) from None
    return context


def _trust(setting: str, cafile: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cafile)
    except (OSError, ssl.SSLError) as failure:
        raise LoginwardError(
            f"{setting}: {cafile}: {failure}; name a PEM file of certificates"
        ) from None


def _complete(who: Roster, found: dict[Way, Send]) -> None:
    """A channel that nothing serves would be found out on the night it is needed."""
    needs = {"sms": "roster.twilio_account", "phone": "roster.twilio_account"}
    needs |= {"push": "roster.push_account_file", "webhook": "outputs.webhook_secret_file"}
    for person in who.people.values():
        for channel in person.channels:
            if channel.way not in found:
                raise LoginwardError(
                    f"roster: {person.name} is to be told by {channel.way}, but "
                    f"{needs[channel.way]} is empty; set it, or take the channel out"
                )


def _now() -> datetime:
    return datetime.now(tz=UTC)
