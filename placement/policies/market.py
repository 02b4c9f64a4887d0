"""No plan of anybody's: satellites bid for what they would host."""

from placement.policies.telemetry import Bids, Propose, Telemetry


def market(
    view: Telemetry,  # noqa: ARG001
    propose: Propose,  # noqa: ARG001
    *,
    every_steps: int = 8,
    min_gain: float = 0.05,
    token_s_per_gb: float = 100.0,
    patience_s: float = 15.0,
) -> Bids:
    """Let satellites bid for experts and gateways with what they know; no plan after the first.

    At the start of every step each satellite reports to the gateways what share of its time power
    lets it compute, how busy its parts keep it, and what memory is free. Messages take the delay of
    the path, and are read at the start of the step after they arrive. The gateway of a layer sells
    the layer's experts, a bid being the way of a token through the bidder; a gateway is sold by
    itself, or by the nearest living one before it; an instance without any is not helped. Winners
    read the award, and take the thing if they still can.

    Parameters
    ----------
    view : Telemetry
    propose : Propose
    every_steps : int
        Steps between looks at everything; what is in trouble is sold at once.
    min_gain : float
        Share of its present price that the move of a thing has to save: hysteresis.
    token_s_per_gb : float
        What moving a GB may cost, in seconds of waiting tokens.
    patience_s : float
        Time without word after which a satellite counts as lost: from 1 to 240 steps.
    """
    return Bids(
        every_steps=every_steps,
        min_gain=min_gain,
        token_s_per_gb=token_s_per_gb,
        patience_s=patience_s,
    )
