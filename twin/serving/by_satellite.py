"""What a step has done for requests, satellite by satellite."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twin.moe.spec import ModelCard
from twin.serving.engine.engine import Engine
from twin.serving.hosts import Hosts


@dataclass(frozen=True, kw_only=True)
class BySatellite:
    """Work of N satellites in a step, and what they hold at its end.

    Attributes
    ----------
    waiting_tokens : (N,) int64
        That wait for work; those in service do not.
    services, service_tokens : (N,) int64
        Services that ended or run, and the tokens in them.
    cache_share : (N,) float64
        Caches of gateways there, of the memory beside weights; NaN where there is no gateway.
    """

    waiting_tokens: NDArray[np.int64]
    services: NDArray[np.int64]
    service_tokens: NDArray[np.int64]
    cache_share: NDArray[np.float64]

    @classmethod
    def of(
        cls, engine: Engine, hosts: Hosts, card: ModelCard, free_bytes: NDArray[np.float64]
    ) -> Self:
        """Read it off the engine at the end of a step."""
        satellites, instances = engine.state.satellites, engine.state.instances
        cached = (instances["all_blocks"] - instances["blocks"]) * int(
            engine.state.core["block"][0]
        )
        layers = len(hosts.gateway) // len(instances)
        size = len(free_bytes)
        held = np.bincount(hosts.gateway, np.repeat(cached, layers), size)
        gateways = np.bincount(hosts.gateway, minlength=size)
        used = held * card.kv_bytes_per_token_per_layer
        room = np.where(gateways > 0, np.maximum(free_bytes, 1.0), np.nan)
        return cls(
            waiting_tokens=engine.waiting_tokens(),
            services=satellites["services"].copy(),
            service_tokens=satellites["served_tokens"].copy(),
            cache_share=used / room,
        )
