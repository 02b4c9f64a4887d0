"""On-board computers: how fast they compute and read memory, how much they hold, what they draw."""

from dataclasses import dataclass
from math import inf, isinf
from typing import Final

from twin.moe.roofline import Computer
from twin.moe.spec import BYTES_PER_PARAM, Precision
from twin.registry import Registry
from twin.scenario.spacecraft import Compute


@dataclass(frozen=True, kw_only=True)
class Board:
    """Figures of one computer.

    Attributes
    ----------
    name, title : str
        Key of the board, and how a reader knows it.
    gflops : float
        Peak with 16-bit weights, dense.
    gflops_int8 : float
        Peak with 8-bit weights, dense.
    memory_gb : float
        For weights and caches.
    memory_gb_per_s : float
        Bandwidth of the memory; infinite where reading is not counted.
    idle_w, peak_w : float or None
        Draw without work and at full speed; None leaves it to the bus profile.
    source : str
        Where the figures come from, and which are assumptions.
    """

    name: str
    title: str
    gflops: float
    gflops_int8: float
    memory_gb: float
    memory_gb_per_s: float
    idle_w: float | None = None
    peak_w: float | None = None
    source: str

    def peak_gflops(self, precision: Precision) -> float:
        """Peak with weights of a precision."""
        return self.gflops_int8 if precision == "int8" else self.gflops


_BOARDS = (
    Board(
        name="paper",
        title="the Space-XNet paper's satellite",
        gflops=7.28,
        gflops_int8=7.28,
        memory_gb=16.0,
        memory_gb_per_s=inf,
        source="arXiv 2605.00515: 70 % of 10.4 GFLOPS, memory bandwidth not counted; "
        "memory is an assumption",
    ),
    Board(
        name="rad5545",
        title="BAE RAD5545",
        gflops=3.7,
        gflops_int8=5.6,
        memory_gb=4.0,
        memory_gb_per_s=12.8,
        idle_w=8.0,
        peak_w=20.0,
        source="BAE Systems: 3.7 GFLOPS, 5.6 GOPS; bandwidth (two DDR3-800) and idle power are "
        "assumptions",
    ),
    Board(
        name="sbc-2a72",
        title="Frontgrade SBC-2A72",
        gflops=10.4,
        gflops_int8=10.4,
        memory_gb=8.0,
        memory_gb_per_s=17.0,
        idle_w=5.0,
        peak_w=12.0,
        source="Frontgrade: 10.4 GFLOPS, 8 GB; bandwidth and power are assumptions",
    ),
    Board(
        name="ix10",
        title="Unibap SpaceCloud iX10",
        gflops=3_600.0,
        gflops_int8=26_000.0,
        memory_gb=24.0,
        memory_gb_per_s=38.4,
        idle_w=12.0,
        peak_w=40.0,
        source="Unibap: up to 26 TOPS, 24 GB; 16-bit peak, bandwidth (two DDR4-2400) and power are "
        "assumptions",
    ),
    Board(
        name="orin",
        title="NVIDIA Jetson AGX Orin 64 GB",
        gflops=42_500.0,
        gflops_int8=85_000.0,
        memory_gb=64.0,
        memory_gb_per_s=204.8,
        idle_w=15.0,
        peak_w=60.0,
        source="NVIDIA: 64 GB, 204.8 GB/s, 15 to 60 W; dense peaks are half of the sparse ones, an "
        "assumption",
    ),
    Board(
        name="versal",
        title="AMD XQRVC1902 (Versal, radiation tolerant)",
        gflops=8_000.0,
        gflops_int8=133_000.0,
        memory_gb=16.0,
        memory_gb_per_s=102.0,
        idle_w=20.0,
        peak_w=75.0,
        source="AMD: 133 TOPS int8, 8 TFLOPS fp32, used for 16 bits; memory, bandwidth and power "
        "are assumptions",
    ),
    Board(
        name="tpu-v6e",
        title="Google TPU v6e",
        gflops=918_000.0,
        gflops_int8=1_836_000.0,
        memory_gb=32.0,
        memory_gb_per_s=1_638.0,
        idle_w=60.0,
        peak_w=300.0,
        source="Google Cloud: 918 TFLOPS bf16, 1,836 TOPS int8, 32 GB, 1,638 GB/s; power is an "
        "assumption",
    ),
    Board(
        name="rtx-pro-6000",
        title="NVIDIA RTX PRO 6000 Blackwell",
        gflops=503_000.0,
        gflops_int8=1_007_000.0,
        memory_gb=96.0,
        memory_gb_per_s=1_792.0,
        idle_w=30.0,
        peak_w=600.0,
        source="NVIDIA: 96 GB, 1,792 GB/s, 600 W; dense peaks, an eighth and a quarter of the "
        "sparse fp4 one, and idle power are assumptions",
    ),
    Board(
        name="h100",
        title="NVIDIA H100 SXM",
        gflops=989_000.0,
        gflops_int8=1_979_000.0,
        memory_gb=80.0,
        memory_gb_per_s=3_350.0,
        idle_w=70.0,
        peak_w=700.0,
        source="NVIDIA: 989 TFLOPS bf16, 1,979 TOPS int8, 80 GB, 3,350 GB/s, 700 W; idle power is "
        "an assumption",
    ),
)

BOARDS: Final[Registry[Board]] = Registry(
    "board",
    {board.name: board for board in _BOARDS},
    field="compute.board",
    purpose=lambda board: (
        f"{board.title}: {board.gflops:,g} GFLOPS (int8 {board.gflops_int8:,g}), "
        f"{board.memory_gb:g} GB"
        + ("" if isinf(board.memory_gb_per_s) else f" at {board.memory_gb_per_s:,g} GB/s")
    ),
)
"""The known boards by name; peaks are dense, and every source names its assumptions."""


def peak_gflops(compute: Compute, precision: Precision) -> float:
    """Return the peak of a scenario's satellites; hubs may have another."""
    return compute.gflops or BOARDS[compute.board].peak_gflops(precision)


def computer(compute: Compute, precision: Precision) -> Computer:
    """Return what a scenario's satellites compute with: its board, with figures of its own."""
    board = BOARDS[compute.board]
    return Computer(
        flops_per_s=peak_gflops(compute, precision) * 1e9 * compute.efficiency,
        bytes_per_s=(compute.memory_gb_per_s or board.memory_gb_per_s) * 1e9 * compute.efficiency,
        overhead_s=compute.overhead_us * 1e-6,
        bytes_per_param=BYTES_PER_PARAM[precision],
    )


def memory_gb(compute: Compute) -> float:
    """Return the memory of a scenario's satellites; hubs may have another."""
    return compute.memory_gb or BOARDS[compute.board].memory_gb


def power_w(compute: Compute) -> tuple[float, float] | None:
    """Return what the boards draw idle and at their peak; None leaves it to the bus profile."""
    board = BOARDS[compute.board]
    if board.idle_w is None or board.peak_w is None:
        return None
    return board.idle_w * compute.boards, board.peak_w * compute.boards
