"""The page's colours, one place for the globe, its legend and the charts.

Ramps are evenly spaced stops. All of them run between blue and yellow or orange, which viewers
with red-green colour blindness tell apart.
"""

from typing import Final

INK: Final = "#dbe6ff"
MUTED: Final = "#8b9dc3"
RULE: Final = "rgba(150, 180, 255, 0.12)"
PROPAGATION: Final = "#5aa9ff"
COMPUTE: Final = "#ffb454"

GLOBE: Final = {
    "ramps": {
        "layer": ["#3fe0e8", "#3fa4ff", "#7d7bff", "#c465f5", "#ff6da8", "#ff9a5c", "#ffe066"],
        "sunlit": ["#33427a", "#8f7f8a", "#ffd75e"],
        "soc": ["#ff5a36", "#ff9d4d", "#ffe08a", "#7fd6e0", "#2fa8ff"],
    },
    "idle": "#566384",
    "link": "#5f8fe0",
    "link_down": "#ff5a6e",
    "tokens": ["#ffdf8a", "#6dffce", "#ffa3e0", "#a9c8ff"],
}
"""Sent with every trace; `ramps` are named as the values they colour."""
