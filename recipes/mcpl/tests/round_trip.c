/* Three particles go through a gzipped file and come back within the format's precision. */
#include <math.h>
#include <mcpl.h>
#include <stdio.h>

int main(void)
{
    const int32_t codes[] = {2112, 22, 11}; /* neutron, photon, electron */
    const double energies_MeV[] = {2.45, 0.662, 1.25};
    mcpl_outfile_t out = mcpl_create_outfile("source.mcpl");
    mcpl_hdr_set_srcname(out, "test");
    mcpl_hdr_add_comment(out, "a neutron, a photon and an electron");
    mcpl_enable_doubleprec(out);
    mcpl_particle_t *particle = mcpl_get_empty_particle(out);
    for (int i = 0; i < 3; i++) {
        particle->pdgcode = codes[i];
        particle->ekin = energies_MeV[i];
        particle->direction[0] = 0.6;
        particle->direction[2] = 0.8;
        particle->position[1] = i * 1.5;
        particle->time = 0.25 * i;
        particle->weight = 1.0 + i;
        mcpl_add_particle(out, particle);
    }
    if (!mcpl_closeandgzip_outfile(out)) {
        fprintf(stderr, "the file was not gzipped\n");
        return 1;
    }

    mcpl_file_t in = mcpl_open_file("source.mcpl.gz");
    if (mcpl_hdr_nparticles(in) != 3 || mcpl_hdr_ncomments(in) != 1) {
        fprintf(stderr, "%lu particles\n", (unsigned long)mcpl_hdr_nparticles(in));
        return 1;
    }
    for (int i = 0; i < 3; i++) {
        const mcpl_particle_t *particle = mcpl_read(in);
        if (!particle || particle->pdgcode != codes[i] || fabs(particle->ekin - energies_MeV[i]) > 1e-12 ||
            particle->position[1] != i * 1.5 || particle->weight != 1.0 + i ||
            fabs(particle->direction[0] - 0.6) > 1e-9 || fabs(particle->direction[2] - 0.8) > 1e-9) {
            fprintf(stderr, "particle %d came back changed\n", i);
            return 1;
        }
    }
    mcpl_close_file(in);
    return 0;
}
