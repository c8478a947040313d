"""SPHERE at the VLT: the dual-band imager IRDIS and the spectrograph IFS.

Wavelengths and widths are those of the ESO user manual; plate scale and true north of Maire et al. 2016
(Proc. SPIE 9908, 990834), as used by Delorme et al. 2017. What raw frames look like is in `sphere_frames`.
"""

from lyot.instrument import Calibration, Coronagraph, Filter, Instrument
from lyot.instruments.sites import PARANAL

MAIRE_2016 = "Maire et al. 2016, Proc. SPIE 9908, 990834"

#: Angles between the pupil-stabilised field and the detectors; position angle on the sky = position angle on the
#: detector + parallactic angle + pupil offset + instrument offset + true north.
PUPIL_OFFSET = Calibration(name="pupil_offset", value=135.99, error=0.11, unit="deg", reference=MAIRE_2016)
TRUE_NORTH = Calibration(name="true_north", value=-1.75, error=0.08, unit="deg", reference=MAIRE_2016)

MASK = 92.5  # mas, radius of the mask of the apodised Lyot coronagraph for Y to H
#: Radii of that mask, and the light of a point source that passes there, of what passes far out.
PASSES = ((1.00, 0.32), (1.13, 0.50), (1.21, 0.66), (1.36, 0.81), (1.50, 0.93), (2.00, 1.00))
ALC_YJH = Coronagraph(
    names=("N_ALC_YJH_S", "ALC_YJH_S", "ALC2"),
    separations=tuple(round(radius * MASK, 1) for radius, _ in PASSES),
    transmissions=tuple(part for _, part in PASSES),
    reference="transmission of the SPHERE ALC against separation, as distributed with vcal_sphere; "
    "at 2 mask radii set to 1 (0.99 measured)",
)
NO_MASK = Coronagraph(
    names=("N_NS_CLEAR", "none", "clear"), separations=(0.0,), transmissions=(1.0,), reference="by definition"
)

SPHERE_IRDIS = Instrument(
    name="sphere-irdis",
    telescope="ESO-VLT-UT3",
    site=PARANAL,
    diameter=8.2,
    doc="Dual-band imager of the extreme adaptive optics SPHERE, 0.95–2.3 µm, since 2014.",
    filters=(
        Filter(name="Y2", wavelength=1.022, width=0.049, band="Y"),
        Filter(name="Y3", wavelength=1.076, width=0.050, band="Y"),
        Filter(name="J2", wavelength=1.190, width=0.042, band="J"),
        Filter(name="J3", wavelength=1.273, width=0.046, band="J"),
        Filter(name="H2", wavelength=1.593, width=0.052, band="H"),
        Filter(name="H3", wavelength=1.667, width=0.054, band="H"),
        Filter(name="H4", wavelength=1.733, width=0.057, band="H"),
        Filter(name="K1", wavelength=2.110, width=0.102, band="Ks"),
        Filter(name="K2", wavelength=2.251, width=0.109, band="Ks"),
        Filter(name="BB_Y", wavelength=1.043, width=0.140, band="Y"),
        Filter(name="BB_J", wavelength=1.245, width=0.240, band="J"),
        Filter(name="BB_H", wavelength=1.625, width=0.290, band="H"),
        Filter(name="BB_Ks", wavelength=2.182, width=0.300, band="Ks"),
    ),
    coronagraphs=(ALC_YJH, NO_MASK),
    calibrations=(
        Calibration(name="pixel_scale", value=12.255, error=0.009, unit="mas/px", reference=MAIRE_2016),
        TRUE_NORTH,
        PUPIL_OFFSET,
        Calibration(name="instrument_offset", value=0.0, error=0.0, unit="deg", reference="by definition"),
        # How much longer the sky is on the detector's x than on its y; frames are stretched by it.
        Calibration(name="stretch_x", value=1.0, error=0.0, unit="", reference="by definition"),
        Calibration(name="stretch_y", value=1.0062, error=0.0002, unit="", reference=MAIRE_2016),
    ),
)

SPHERE_IFS = Instrument(
    name="sphere-ifs",
    telescope="ESO-VLT-UT3",
    site=PARANAL,
    diameter=8.2,
    doc="Integral-field spectrograph of SPHERE, 39 channels over 0.95–1.35 or 0.95–1.65 µm.",
    filters=(
        Filter(name="YJ", wavelength=1.148, width=0.396, band="J"),
        Filter(name="YJH", wavelength=1.314, width=0.726, band="H"),
    ),
    coronagraphs=(ALC_YJH, NO_MASK),
    calibrations=(
        Calibration(name="pixel_scale", value=7.46, error=0.02, unit="mas/px", reference=MAIRE_2016),
        TRUE_NORTH,
        PUPIL_OFFSET,
        Calibration(name="instrument_offset", value=-100.48, error=0.10, unit="deg", reference=MAIRE_2016),
        Calibration(name="stretch_x", value=1.0059, error=0.0002, unit="", reference="vlt-sphere 1.8 (MIT)"),
        Calibration(name="stretch_y", value=1.0011, error=0.0002, unit="", reference="vlt-sphere 1.8 (MIT)"),
    ),
)
