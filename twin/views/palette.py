"""The page's colours, dark and light, one place for stage, legend and charts.

Ramps are evenly spaced stops. Their lightness runs one way, so that they can be read without
telling red from green, and in grey; the tests look at them through simulated colour
blindness. Series and causes are the colours of Okabe and Ito, lightened for the dark page.

References
----------
M. Okabe and K. Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/.
"""

from typing import Any, Final

from twin.vocabulary import CAUSES, Lane, SatelliteState

STAGE: Final[dict[str, Any]] = {
    "dark": {
        "ramps": {
            "layer": ["#4a54ff", "#9a68fa", "#d866dc", "#f56c9c", "#ff9466", "#ffc252", "#fff0a0"],
            "soc": ["#c8452f", "#e8793f", "#f4b560", "#b9d7d9", "#a9e4ff"],
            "sunlit": ["#3d4c86", "#8f86a0", "#ffd75e"],
            "temperature": ["#5a6bff", "#8f8be8", "#d9a3b0", "#ffc77a", "#fff0b0"],
            "utilisation": ["#46558a", "#5f86c9", "#5fc3e0", "#a4ecc0", "#fdffc0"],
        },
        "states": [state.meaning.dark for state in SatelliteState],
        "idle": "#5d6b92",
        "links": {"live": "#5f8fe0", "acquiring": "#ffe27a", "down": "#ff6a55"},
        "ring": "#ffffff",
        "ground": "#8fe3c0",
        "migration": "#e9a8ff",
        "shadow": "#8a9cff",
        "tokens": ["#ffd166", "#6dffce", "#ffa3e0", "#9cc4ff"],
        "series": ["#56b4e9", "#ffb347", "#2fd6a3", "#f08fc4"],
        "causes": [cause.meaning.dark for cause in CAUSES],
        "lanes": [lane.meaning.dark for lane in Lane],
        "propagation": "#5aa9ff",
        "compute": "#ffb454",
    },
    "light": {
        "ramps": {
            "layer": ["#2b1c8f", "#5a1fb5", "#991fa8", "#cb3277", "#e05d3d", "#e08f1c", "#d9b81a"],
            "soc": ["#8f1f10", "#c2501c", "#cf8a2a", "#6fa3b8", "#8fc1e0"],
            "sunlit": ["#27336b", "#7d7488", "#e0aa00"],
            "temperature": ["#27339f", "#5d55b0", "#ac6a86", "#d9903c", "#d9b840"],
            "utilisation": ["#27336b", "#355f9f", "#2f8fb0", "#53b58f", "#a8c840"],
        },
        "states": [state.meaning.light for state in SatelliteState],
        "idle": "#8a95ad",
        "links": {"live": "#5b86cf", "acquiring": "#b38600", "down": "#d03a20"},
        "ring": "#141a2b",
        "ground": "#00795a",
        "migration": "#8a1fb8",
        "shadow": "#27336b",
        "tokens": ["#c96a00", "#008a63", "#c0267f", "#1f63c4"],
        "series": ["#0072b2", "#d55e00", "#009e73", "#a8457f"],
        "causes": [cause.meaning.light for cause in CAUSES],
        "lanes": [lane.meaning.light for lane in Lane],
        "propagation": "#1f77d0",
        "compute": "#d57a00",
    },
}
"""Sent with every head; `ramps` are named as the values they colour."""
