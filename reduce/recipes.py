"""The reductions we publish."""

from lyot.reduce.psf.cadi import ClassicalADI
from lyot.reduce.psf.noadi import NoADI
from lyot.reduce.psf.pca import PCA
from lyot.reduce.step import Recipe

NO_ADI = Recipe(name="no-adi", model=NoADI(), collapse="median")
CLASSICAL_ADI = Recipe(name="cadi", strategy="adi", model=ClassicalADI(), collapse="median")
PCA_ADI = Recipe(name="pca", strategy="adi", model=PCA(ncomp=5), collapse="median")

RECIPES = {recipe.name: recipe for recipe in (NO_ADI, CLASSICAL_ADI, PCA_ADI)}
PUBLISHED = ("no-adi", "cadi", "pca")  # what is reduced when nobody says otherwise
