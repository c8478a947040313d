"""Greek letters and constellations as star catalogues abbreviate them (SIMBAD's dictionary; IAU 1922, 1930)."""

#: Letters, by their names; an abbreviation is what SIMBAD writes.
GREEK = {
    "alpha": "alf", "beta": "bet", "gamma": "gam", "delta": "del", "epsilon": "eps", "zeta": "zet", "eta": "eta",
    "theta": "tet", "iota": "iot", "kappa": "kap", "lambda": "lam", "lamda": "lam", "mu": "mu.", "nu": "nu.",
    "xi": "ksi", "omicron": "omi", "pi": "pi.", "rho": "rho", "sigma": "sig", "final sigma": "sig", "tau": "tau",
    "upsilon": "ups", "phi": "phi", "chi": "chi", "psi": "psi", "omega": "ome",
}  # fmt: skip
#: Other spellings of the abbreviations.
GREEK_TOO = {"alp": "alf", "the": "tet", "mu": "mu.", "nu": "nu.", "xi": "ksi", "pi": "pi.", "omg": "ome"}

#: Abbreviations and genitives.
CONSTELLATIONS = {
    "and": "andromedae", "ant": "antliae", "aps": "apodis", "aqr": "aquarii", "aql": "aquilae", "ara": "arae",
    "ari": "arietis", "aur": "aurigae", "boo": "bootis", "cae": "caeli", "cam": "camelopardalis", "cnc": "cancri",
    "cvn": "canum venaticorum", "cma": "canis majoris", "cmi": "canis minoris", "cap": "capricorni",
    "car": "carinae", "cas": "cassiopeiae", "cen": "centauri", "cep": "cephei", "cet": "ceti",
    "cha": "chamaeleontis", "cir": "circini", "col": "columbae", "com": "comae berenices",
    "cra": "coronae australis", "crb": "coronae borealis", "crv": "corvi", "crt": "crateris", "cru": "crucis",
    "cyg": "cygni", "del": "delphini", "dor": "doradus", "dra": "draconis", "equ": "equulei", "eri": "eridani",
    "for": "fornacis", "gem": "geminorum", "gru": "gruis", "her": "herculis", "hor": "horologii", "hya": "hydrae",
    "hyi": "hydri", "ind": "indi", "lac": "lacertae", "leo": "leonis", "lmi": "leonis minoris", "lep": "leporis",
    "lib": "librae", "lup": "lupi", "lyn": "lyncis", "lyr": "lyrae", "men": "mensae", "mic": "microscopii",
    "mon": "monocerotis", "mus": "muscae", "nor": "normae", "oct": "octantis", "oph": "ophiuchi", "ori": "orionis",
    "pav": "pavonis", "peg": "pegasi", "per": "persei", "phe": "phoenicis", "pic": "pictoris", "psc": "piscium",
    "psa": "piscis austrini", "pup": "puppis", "pyx": "pyxidis", "ret": "reticuli", "sge": "sagittae",
    "sgr": "sagittarii", "sco": "scorpii", "scl": "sculptoris", "sct": "scuti", "ser": "serpentis",
    "sex": "sextantis", "tau": "tauri", "tel": "telescopii", "tri": "trianguli", "tra": "trianguli australis",
    "tuc": "tucanae", "uma": "ursae majoris", "umi": "ursae minoris", "vel": "velorum", "vir": "virginis",
    "vol": "volantis", "vul": "vulpeculae",
}  # fmt: skip
