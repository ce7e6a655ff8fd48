"""The embedded stack: real Kafka and Valkey out of Python packages, on loopback, never production.

with Stack(Path("data"), owned=True) as stack:
    use(stack.endpoints.kafka_bootstrap, stack.endpoints.redis_url)
"""

from .endpoints import Endpoints, KafkaSecurity
from .errors import StackError
from .kafka_server import KafkaServer
from .progress import Console, Progress, Silent
from .quick_start import quicken_starts
from .stack import ServerStatus, Stack, running_endpoints
from .valkey_server import ValkeyServer

__all__ = [
    "Console",
    "Endpoints",
    "KafkaSecurity",
    "KafkaServer",
    "Progress",
    "ServerStatus",
    "Silent",
    "Stack",
    "StackError",
    "ValkeyServer",
    "quicken_starts",
    "running_endpoints",
]
