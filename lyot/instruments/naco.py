"""NACO (NAOS-CONICA) at the VLT."""

from lyot.instrument import Calibration, Coronagraph, Filter, Instrument
from lyot.instruments.sites import PARANAL

NACO = Instrument(
    name="naco",
    telescope="ESO-VLT-UT4",
    site=PARANAL,
    diameter=8.2,
    doc="NAOS-CONICA: 1–5 µm adaptive-optics camera, 2001–2019; vortex coronagraph (AGPM) in L'.",
    filters=(
        Filter(name="J", wavelength=1.265, width=0.25, band="J"),
        Filter(name="H", wavelength=1.66, width=0.33, band="H"),
        Filter(name="Ks", wavelength=2.18, width=0.35, band="Ks"),
        Filter(name="L'", wavelength=3.80, width=0.62, band="L'"),
        Filter(name="NB_4.05", wavelength=4.051, width=0.02, band="L'"),
        Filter(name="M'", wavelength=4.78, width=0.59, band="M'"),
    ),
    coronagraphs=(Coronagraph(names=("AGPM",)),),  # no transmission curve of it was published with the sequence
    calibrations=(
        # The value is that of the published sequence; the errors are adopted here, for none came with it.
        Calibration(name="pixel_scale", value=27.19, error=0.06, unit="mas/px",
                    reference="Absil et al. 2013, A&A 559, L12 (value); error adopted"),
        Calibration(name="true_north", value=0.45, error=0.10, unit="deg",
                    reference="Absil et al. 2013, A&A 559, L12 (value); error adopted"),
    ),
)
