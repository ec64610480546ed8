"""What DIRAC's client does without a server: reads a configuration, writes a job's JDL, makes a proxy certificate."""

import os
import pathlib
import time

home = pathlib.Path("home").resolve()
home.mkdir()
os.environ.update(HOME=str(home), DIRAC=str(home), DIRACSYSCONFIG=str(home / "dirac.cfg"))
(home / "dirac.cfg").write_text(
    "DIRAC\n{\n  Setup = DANCE\n}\nLocalSite\n{\n  Site = LCG.Gran-Sasso.it\n  Tags = a, b\n}\n"
)

from DIRAC import gConfig  # noqa: E402
from DIRAC.ConfigurationSystem.Client.ConfigurationData import gConfigurationData  # noqa: E402

gConfigurationData.loadFile(str(home / "dirac.cfg"))
assert gConfigurationData.extractOptionFromCFG("/LocalSite/Site") == "LCG.Gran-Sasso.it"
assert gConfig.getValue("/LocalSite/Tags", []) == ["a", "b"]

from DIRAC.Core.Utilities.ClassAd.ClassAdLight import ClassAd  # noqa: E402
from DIRAC.Interfaces.API.Job import Job  # noqa: E402

job = Job()
job.setName("run7")
job.setExecutable("/bin/echo", arguments="7")
job.setCPUTime(3600)
job.setInputData(["LFN:/dance/run7.raw", "LFN:/dance/run8.raw"])
written = ClassAd(f"[{job._toJDL()}]")
assert written.getAttributeString("JobName") == "run7" and written.getAttributeInt("CPUTime") == 3600
assert written.getListFromExpression("InputData") == ["LFN:/dance/run7.raw", "LFN:/dance/run8.raw"], job._toJDL()

from DIRAC.Core.Security.X509Chain import X509Chain  # noqa: E402
from M2Crypto import ASN1, EVP, RSA, X509  # noqa: E402

key = EVP.PKey()
key.assign_rsa(RSA.gen_key(2048, 65537, callback=lambda *_: None))
name = X509.X509_Name()
name.O, name.CN = "DANCE", "Lise"
certificate = X509.X509()
certificate.set_version(2)
certificate.set_serial_number(7)
certificate.set_subject(name)
certificate.set_issuer(name)
certificate.set_pubkey(key)
for moment, place in ((-60, certificate.set_not_before), (86400, certificate.set_not_after)):
    when = ASN1.ASN1_UTCTIME()
    when.set_time(int(time.time()) + moment)
    place(when)
certificate.sign(key, md="sha256")
user = X509Chain()
assert user.loadChainFromString(certificate.as_pem().decode())["OK"]
assert user.loadKeyFromString(key.as_pem(cipher=None))["OK"]
made = user.generateProxyToString(3600, diracGroup="dance_user")
assert made["OK"], made
proxy = X509Chain()
assert proxy.loadProxyFromString(made["Value"])["OK"]
assert proxy.isProxy()["Value"] is True and user.isProxy()["Value"] is False
assert proxy.isValidProxy()["OK"] and proxy.getDIRACGroup()["Value"] == "dance_user"
assert 3000 < proxy.getRemainingSecs()["Value"] <= 3600
assert proxy.getIssuerCert()["Value"].getSubjectDN()["Value"] == "/O=DANCE/CN=Lise"
