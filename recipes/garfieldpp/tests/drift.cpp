// Silicon: the W value of electron-hole pairs is 3.62 eV at 300 K (C. Canali et al., 10.1109/TNS.1972.4326778).
#include <Garfield/MediumSilicon.hh>

#include <cmath>

int main() {
  Garfield::MediumSilicon silicon;
  silicon.SetTemperature(293.15);
  double vx = 0, vy = 0, vz = 0;
  if (!silicon.ElectronVelocity(1000, 0, 0, 0, 0, 0, vx, vy, vz) || vx >= 0) return 1;
  return std::abs(silicon.GetW() - 3.6) < 0.05 ? 0 : 2;
}
