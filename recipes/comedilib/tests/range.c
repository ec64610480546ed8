/* The middle of 12 bits over -10 to 10 V is 2.4 mV, and back. */
#include <comedilib.h>
#include <math.h>

int main(void) {
  comedi_range range = {-10.0, 10.0, UNIT_volt};
  double volts = comedi_to_phys(2048, &range, 4095);
  if (fabs(volts - 20.0 * 2048 / 4095 + 10) > 1e-9) return 1;
  return comedi_from_phys(volts, &range, 4095) == 2048 ? 0 : 2;
}
