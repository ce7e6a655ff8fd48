"""Small MMDB files for tests, in the types that are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

FLAT_COUNTRY = {
    "192.0.2.0/25": {"country_code": "TW"},
    "198.51.100.0/24": {"country_code": "JP"},
    "2001:db8::/32": {"country_code": "US"},
}
ASN = {
    "192.0.2.0/24": {
        "autonomous_system_number": 64496,
        "autonomous_system_organization": "Example Hosting",
    },
    "2001:db8::/33": {
        "autonomous_system_number": 4200000000,
        "autonomous_system_organization": "Example \x1b[31mCarrier",
    },
}
MAXMIND_CITY = {
    "192.0.2.0/24": {
        "country": {"iso_code": "TW", "names": {"en": "Taiwan"}},
        "city": {"names": {"en": "Taipei"}},
        "location": {"latitude": 25.0, "longitude": 121.5},
    },
    "203.0.113.0/24": {"registered_country": {"iso_code": "US"}},
}
ANONYMOUS = {
    "192.0.2.9/32": {"is_anonymous": True, "is_tor_exit_node": True},
    "192.0.2.10/32": {
        "is_anonymous": True,
        "is_anonymous_vpn": True,
        "is_hosting_provider": True,
    },
}


def write(
    path: Path, networks: Mapping[str, Any], kind: str = "test", *, ipv6: bool = True
) -> Path:
    """An MMDB file of the type `kind`."""
    writer = MMDBWriter(
        ip_version=6 if ipv6 else 4, ipv4_compatible=ipv6, database_type=kind, int_type="u32"
    )
    for network, content in networks.items():
        writer.insert_network(IPSet([network]), content)
    writer.to_db_file(str(path))
    return path
