"""What a scenario fixes for the engine of requests."""

from typing import Any

from twin.moe.inference import Inference, hosts_gbps
from twin.scenario.schema import Scenario
from twin.serving.engine.records import DRAIN, FORWARD, LOSE


def rules(scenario: Scenario, inference: Inference) -> dict[str, Any]:
    """Return the engine's rules by name."""
    card, table = inference.card, scenario.serving
    micro = table.batching == "micro-batch"
    return {
        "top_k": card.top_k,
        "chunk": table.chunk_tokens,
        "block": table.block_tokens,
        "most_running": table.max_running,
        "queue_most": table.max_queue,
        "batch_tokens": table.max_batch_tokens,
        "batch_requests": table.max_batch_requests,
        "micro": micro,
        "fuse": table.fuse,
        "one_class": table.order == "oldest" or micro,
        "first_class": table.order == "prefill-first",
        "retries": scenario.workload.retries,
        "handover": {"forward": FORWARD, "drain": DRAIN, "lose": LOSE}[table.handover],
        "boards": scenario.compute.boards,
        "exchange_s": scenario.compute.exchange_us * 1e-6,
        "exchange_token_s": card.hidden_bytes * 8 / (scenario.compute.exchange_gbps * 1e9),
        "patience_s": scenario.requests.patience_s or 0.0,
        "drop_s": scenario.requests.ttft_target_s if table.drop_late else 0.0,
        "record_every": scenario.requests.record_every or 0,
        "transfer_s": inference.transfer_s,
        "waiting_tokens": 1 if hosts_gbps(scenario) < table.cut_through_gbps else 2,
    }
