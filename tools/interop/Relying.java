import java.io.FileInputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateRevokedException;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Validates chains as Java does: root, issuing CA, then leaves; by OCSP alone and by CRL alone. */
class Relying {
    public static void main(String[] files) throws Exception {
        X509Certificate root = read(files[0]);
        X509Certificate issuing = read(files[1]);
        for (int at = 2; at < files.length; at++) {
            CertPath path = CertificateFactory.getInstance("X.509")
                .generateCertPath(List.of(read(files[at]), issuing));
            System.out.println(files[at] + " ocsp " + validate(path, root, EnumSet.of(Option.NO_FALLBACK)));
            System.out.println(files[at] + " crl "
                + validate(path, root, EnumSet.of(Option.PREFER_CRLS, Option.NO_FALLBACK)));
        }
    }

    static String validate(CertPath path, X509Certificate root, Set<Option> options) throws Exception {
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(options);
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(path, parameters);
            return "GOOD";
        } catch (CertPathValidatorException error) {
            if (error.getCause() instanceof CertificateRevokedException) {
                return "REVOKED " + ((CertificateRevokedException) error.getCause()).getRevocationReason();
            }
            return error.getReason() + " " + error.getMessage();
        }
    }

    static X509Certificate read(String file) throws Exception {
        try (FileInputStream in = new FileInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }
}
