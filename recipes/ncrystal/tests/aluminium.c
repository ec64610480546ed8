/* Cross sections of aluminium, in barn per atom.
 *
 * Absorption at 25.3 meV is 0.231 b (International Tables for Crystallography C (2006), table 4.4.2.1), and goes as one
 * over the speed (V. F. Sears, Neutron scattering lengths and cross sections, Neutron News 3 (1992)). The coherent
 * part vanishes beyond the Bragg edge at 2 d(111) = 4.676 Angstrom (a = 4.0495 Angstrom, same table): only inelastic
 * and incoherent scattering is left there. The scattering numbers are NCrystal's own, of its release 4.4.6: no
 * measurement, they say whether a build computes what that release does.
 */
#include <NCrystal/ncrystal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  ncrystal_scatter_t scatter = ncrystal_create_scatter("Al_sg225.ncmat;temp=293.15K");
  ncrystal_absorption_t absorption = ncrystal_create_absorption("Al_sg225.ncmat");
  double thermal = 0.0253, slow = ncrystal_wl2ekin(4.8), s, a, beyond, a_slow;
  ncrystal_crosssection_nonoriented(ncrystal_cast_scat2proc(scatter), thermal, &s);
  ncrystal_crosssection_nonoriented(ncrystal_cast_scat2proc(scatter), slow, &beyond);
  ncrystal_crosssection_nonoriented(ncrystal_cast_abs2proc(absorption), thermal, &a);
  ncrystal_crosssection_nonoriented(ncrystal_cast_abs2proc(absorption), slow, &a_slow);
  if (fabs(a_slow / a - sqrt(thermal / slow)) > 1e-6) return fprintf(stderr, "not one over the speed\n"), 1;
  FILE *numbers = fopen(getenv("LODE_NUMBERS"), "w");
  if (!numbers) return 1;
  fprintf(numbers, "{\"absorption_b\": %.9g, \"scatter_b\": %.9g, \"beyond_edge_b\": %.9g}\n", a, s, beyond);
  fclose(numbers);
  ncrystal_unref(&scatter), ncrystal_unref(&absorption);
  return 0;
}
