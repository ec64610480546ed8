"""Water of the NIST tables, and a box of it: what Geant4 says of them in Python is what the references say."""

from geant4_pybind import G4Box, G4LogicalVolume, G4NistManager, cm, cm3, eV, g

water = G4NistManager.Instance().FindOrBuildMaterial("G4_WATER")
# NIST's table of materials: 1.000 g/cm3. ICRU report 90 (2016): a mean excitation energy of 78 eV.
assert abs(water.GetDensity() / (g / cm3) - 1) < 1e-6, water.GetDensity()
assert abs(water.GetIonisation().GetMeanExcitationEnergy() / eV - 78) < 1e-6
# Review of Particle Physics, atomic and nuclear properties of materials: a radiation length of 36.08 cm.
assert abs(water.GetRadlen() / cm / 36.08 - 1) < 2e-3, water.GetRadlen() / cm

box = G4Box("box", 1 * cm, 2 * cm, 3 * cm)
assert abs(box.GetCubicVolume() / cm3 - 48) < 1e-9


class Half(G4Box):
    """A solid of Python's that Geant4 asks for its volume."""

    def GetCubicVolume(self):  # noqa: N802 - Geant4 calls it so
        return 24 * cm3


half = Half("half", 1 * cm, 2 * cm, 3 * cm)
assert abs(G4LogicalVolume(half, water, "half").GetMass() / g - 24) < 1e-6
assert abs(G4LogicalVolume(box, water, "box").GetMass() / g - 48) < 1e-6
