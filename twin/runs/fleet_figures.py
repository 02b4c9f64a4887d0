"""The figures of a step's links, satellites, energy and placement."""

from twin.runs.rules import LAST, LEAST, LESS, MORE, MOST, NUMBER, SUM, Mean, Ratio, column, share
from twin.vocabulary import LinkState, links_column

LINK_CAUSES = {
    state: state.meaning.label
    for state in LinkState
    if state not in (LinkState.UP, LinkState.UNPAIRED)
}
"""Why links are down."""

_LINKS = ("links_up", *(links_column(state) for state in LINK_CAUSES))


NETWORK = [
    share(
        "ground_availability",
        "sites with service",
        Mean(),
        "Share of the users whose site has a satellite, mean over the steps.",
        unit="% of the time",
        better=MORE,
        of_run=True,
    ),
    column(
        "ground_handovers",
        "hand-overs on the ground",
        SUM,
        "Changes of a site from one satellite to another.",
        kind=NUMBER,
        better=LESS,
        of_run=True,
    ),
    column("links_up", "links up", Mean(), "Links that carry data.", kind=NUMBER, better=MORE),
    *(
        column(
            links_column(state),
            f"links down, {why}",
            Mean(),
            f"Links that are down: {why}.",
            kind=NUMBER,
            better=LESS,
        )
        for state, why in LINK_CAUSES.items()
    ),
    share(
        "links_up_share",
        "links up",
        Ratio(("links_up",), _LINKS),
        "Links that carry data, of those that both ends want, over all steps.",
        better=MORE,
        of_run=True,
    ),
]

SATELLITES = [
    share("sunlit_mean", "satellites in sunlight", Mean(), "Sunlit share of the fleet's time."),
    share("soc_mean", "state of charge, mean", Mean(), "Mean over the fleet.", better=MORE),
    share(
        "soc_min",
        "lowest state of charge",
        LEAST,
        "Lowest state of charge of any satellite at the end of any step.",
        better=MORE,
        of_run=True,
    ),
    column(
        "temperature_max_c",
        "highest temperature",
        MOST,
        "Highest temperature of any satellite at the end of any step.",
        unit="°C",
        better=LESS,
        of_run=True,
    ),
    column(
        "unpowered",
        "satellites without power, most at once",
        MOST,
        "Satellites without power at the end of a step, most of any.",
        kind=NUMBER,
        better=LESS,
    ),
    column(
        "low",
        "satellites on reserve, most at once",
        MOST,
        "Satellites on the reserve of their battery at the end of a step, most of any.",
        kind=NUMBER,
        better=LESS,
    ),
    column(
        "throttled",
        "satellites throttled by heat, most at once",
        MOST,
        "Satellites that compute slowly because they are hot, most of any step.",
        kind=NUMBER,
        better=LESS,
    ),
    column(
        "faulty",
        "satellites with a fault, most at once",
        MOST,
        "Satellites with a fault, most of any step.",
        kind=NUMBER,
        better=LESS,
    ),
    share(
        "utilisation_max",
        "busiest satellite",
        MOST,
        "Share of a step that the busiest satellite computes, greatest of any step.",
        unit="% of a step",
        of_run=True,
    ),
]

ENERGY = [
    column("drawn_j", "energy drawn by the fleet", SUM, "All that the fleet draws.", unit="J"),
    column(
        "compute_j", "energy of computing", SUM, "What computing takes beyond idling.", unit="J"
    ),
    column(
        "network_drawn_j",
        "energy of the network",
        SUM,
        "What laser terminals and bits on links take.",
        unit="J",
    ),
    column(
        "idle_drawn_j",
        "energy of idling",
        SUM,
        "What the fleet draws beside computing and the network.",
        unit="J",
    ),
    column("deficit_j", "energy missed", SUM, "What loads asked for and had not.", unit="J"),
    column(
        "energy_per_token_j",
        "energy drawn by the fleet",
        Ratio(("drawn_j",), ("tokens_represented",)),
        "All that the fleet draws, in steps that serve no token as well, by the tokens served.",
        unit="J a token",
        better=LESS,
        of_run=True,
    ),
    column(
        "compute_energy_per_token_j",
        "energy of computing",
        Ratio(("compute_j",), ("tokens_represented",)),
        "What computing takes beyond idling, by the tokens served.",
        unit="J a token",
        better=LESS,
        of_run=True,
    ),
    column(
        "network_energy_per_token_j",
        "energy of the network",
        Ratio(("network_drawn_j",), ("tokens_represented",)),
        "What laser terminals and bits on links take, by the tokens served.",
        unit="J a token",
        better=LESS,
        of_run=True,
    ),
    column(
        "idle_energy_per_token_j",
        "energy of idling",
        Ratio(("idle_drawn_j",), ("tokens_represented",)),
        "What the fleet draws beside computing and the network, by the tokens served.",
        unit="J a token",
        better=LESS,
        of_run=True,
    ),
    column("compute_done_flop", "compute done", SUM, "Work of all satellites.", unit="FLOP"),
    column(
        "compute_deficit_flop",
        "compute asked for but not done",
        SUM,
        "Work asked of satellites beyond what power, heat or time allow.",
        unit="FLOP",
        better=LESS,
    ),
    share(
        "compute_deficit_share",
        "compute asked for but not done",
        Ratio(("compute_deficit_flop",), ("compute_deficit_flop", "compute_done_flop")),
        "Work that power, heat or time did not allow, of all that was asked for.",
        better=LESS,
        of_run=True,
    ),
]

PLACEMENT = [
    column("placement", "placement", LAST, "Number of the placement, from 0.", kind=NUMBER),
    column(
        "migrated_bytes", "moved between satellites", SUM,
        "Weights carried between satellites.", unit="GB", scale=1e-9, better=LESS,
    ),
    column(
        "migrated_byte_hops", "moved, times hops", SUM,
        "Weights carried, each byte once a link.", unit="GB", scale=1e-9, better=LESS,
    ),
    column(
        "under_way", "moves under way, most at once", MOST,
        "Moves of a part of the model that have not ended, most of any step.", kind=NUMBER,
    ),
]  # fmt: skip
