"""What was measured becomes a page, charts, sizes and the figures that the guard compares with."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from detectors.errors import LoginwardError
from loadtest.bench.harness import Bench, Measured, Process
from loadtest.bench.latency import Latency
from loadtest.bench.machine import Machine
from loadtest.bench.page import write
from loadtest.bench.record import Record, fallen, file_of, load, ratios
from loadtest.bench.sizes import costs, size

MACHINE = Machine(
    cores=2,
    processor="Some <CPU>",
    memory_gb=23.5,
    kernel="6.1",
    python="3.11.7",
    packages={"aiokafka": "0.14.0"},
    busy=0.1,
)


def measured(speed: float, **more: object) -> Measured:
    """A contender at so many events a second, with a core of its own and half of each server's."""
    return Measured(
        events_per_s=speed,
        cpu_s=1_000_000 / speed,
        rss_mb=200.0,
        events_per_cpu_s=speed,
        lowest=0.9 * speed,
        highest=1.1 * speed,
        runs=[speed],
        servers_cpu_s={"kafka": 5.0, "valkey": 20.0},
        to_detect=None,
        valkey_mb=140.0,
        **more,  # type: ignore[arg-type]  # a test's own fields
    )


def bench(detect: float = 20_000, stock: float = 10_000) -> Bench:
    """Two contenders and a pair on one mix."""
    archive = {
        "detect": Process(cpu_s=50.0, rss_mb=200.0),
        "archive": Process(cpu_s=20, rss_mb=150),
    }
    return Bench(
        machine=MACHINE,
        events=1_000_000,
        repetitions=3,
        mixes={
            "normal": {
                "detect": measured(detect),
                "stock_faust": measured(stock),
                "detect_archive": measured(0.8 * detect, processes=archive),
            }
        },
        not_run={"flink": "not set up here"},
        titles={"detect": "ours"},
    )


LATENCY = Latency(
    machine=MACHINE,
    rate=10_000,
    sent_per_s=9_990.5,
    alerts=300,
    p50_ms=80.0,
    p95_ms=150.0,
    p99_ms=240.0,
    worst_ms=400.0,
    detect_cores=0.5,
    stopped_s=20.0,
    backlog=200_000,
    recovered_s=33.3,
)


def test_the_page_has_figures_charts_and_sizes(tmp_path: Path) -> None:
    """Each number of the run is found again; charts are well-formed; the page reads itself back."""
    page = tmp_path / "performance.md"
    record = Record(bench=bench(), latency=LATENCY)

    write(record, page)

    text = page.read_text()
    assert "| detect | 20,000 | 18,000 to 22,000 | - | 20,000 | 50.0 | 5.0 | 20.0 | 200 |" in text
    assert "| stock_faust | 10,000 | 9,000 to 11,000 | 2.00 |" in text
    assert "| detect_archive | archive | 20.0 | 150 |" in text
    assert "- flink: not set up here" in text
    assert "| 80.0 ms | 150.0 ms | 240.0 ms | 400.0 ms |" in text
    assert "33.3 s after its new start" in text
    assert load(page) == record
    chart = ET.fromstring((tmp_path / "performance/normal.svg").read_text())  # noqa: S314 (our own)
    assert chart.tag.endswith("svg")
    assert "| 1,000 | 1 | 4 | 1 | 1 | 1 |" in (tmp_path / "scaling.md").read_text()


def test_what_was_not_measured_now_stays(tmp_path: Path) -> None:
    """A page of one part alone leaves the other out, and needs nothing of it."""
    page = tmp_path / "performance.md"

    write(Record(latency=LATENCY), page)

    assert "From login to alert" in page.read_text()
    assert not (tmp_path / "scaling.md").exists()


def test_sizes_follow_from_the_dearest_process() -> None:
    """50 us an event of detect at 60 % of a core: 12,000 a second and worker."""
    cost = costs(bench())
    assert cost is not None
    assert (cost.detect, cost.valkey, cost.kafka, cost.archive) == (50.0, 20.0, 5.0, 20.0)

    small, large = size(12_000, cost), size(100_000, cost)

    assert (small.workers, small.partitions, small.valkeys) == (1, 4, 1)
    assert (large.workers, large.partitions, large.valkeys, large.archives) == (9, 32, 4, 4)
    assert large.cores == 16


@pytest.mark.parametrize(("speed", "falls"), [(20_000, 0), (10_100, 0), (9_900, 1), (50_000, 0)])
def test_the_guard_speaks_below_half_of_the_recorded_ratio(speed: float, falls: int) -> None:
    """Not where the machine is slower for all, nor a little slower, nor quicker."""
    assert len(fallen(bench(detect=speed), bench())) == falls
    assert len(fallen(bench(detect=speed / 10, stock=1_000), bench())) == falls
    assert fallen(bench(detect=speed), None) == []


def test_ratios_are_detect_over_the_others() -> None:
    """Only against those that the guard knows."""
    assert ratios(bench()) == {"stock_faust": 2.0}


def test_figures_that_are_none_are_told(tmp_path: Path) -> None:
    """A spoilt file is named with the way out; none at all is an empty record."""
    page = tmp_path / "performance.md"
    assert load(page) == Record()
    file_of(page).write_text('{"bench": 3}')

    with pytest.raises(LoginwardError, match=r"performance\.json: .*bench --docs"):
        load(page)
