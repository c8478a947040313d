"""Where telescopes stand."""

from lyot.instrument import Site

PARANAL = Site(name="Paranal", latitude=-24.6268, longitude=-70.4045, elevation=2648.0)
MAUNA_KEA = Site(name="Mauna Kea", latitude=19.8260, longitude=-155.4747, elevation=4145.0)
CERRO_PACHON = Site(name="Cerro Pachón", latitude=-30.2407, longitude=-70.7367, elevation=2722.0)
