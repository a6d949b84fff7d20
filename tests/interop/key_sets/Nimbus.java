import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.Ed25519Verifier;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Reads forms of key sets, one JSON object a line, and prints the outcomes of Nimbus. */
class Nimbus {
    public static void main(String[] arguments) throws Exception {
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            Map<String, Object> form = JSONObjectUtils.parse(line);
            byte[] bytes = new Base64URL((String) form.get("jwks")).decode();
            String outcome;
            try {
                JWKSet set = JWKSet.parse(new String(bytes, StandardCharsets.UTF_8));
                verify(set, SignedJWT.parse((String) form.get("token")));
                outcome = "accepted";
            } catch (Exception error) {
                outcome = error.getClass().getSimpleName() + ": " + error.getMessage();
            }
            System.out.println(JSONObjectUtils.toJSONString(
                Map.of("name", form.get("name"), "outcome", outcome)));
        }
    }

    /** Checks the signature in the same way as the decoder of Spring Security. */
    private static void verify(JWKSet set, SignedJWT token) throws Exception {
        JWSAlgorithm algorithm = token.getHeader().getAlgorithm();
        if (JWSAlgorithm.Family.ED.contains(algorithm)) {
            verifyEd25519(set, token);
            return;
        }
        var processor = new DefaultJWTProcessor<SecurityContext>();
        processor.setJWSKeySelector(
            new JWSVerificationKeySelector<>(algorithm, new ImmutableJWKSet<>(set)));
        // The forms are about keys, not about claims.
        processor.setJWTClaimsSetVerifier((claims, context) -> {});
        processor.process(token, null);
    }

    /** The key selector of Nimbus 10.3 has no Ed25519, but its matcher and its verifier have. */
    private static void verifyEd25519(JWKSet set, SignedJWT token) throws Exception {
        JWSHeader header = token.getHeader();
        for (JWK key : new JWKSelector(JWKMatcher.forJWSHeader(header)).select(set)) {
            if (token.verify(new Ed25519Verifier(key.toOctetKeyPair().toPublicJWK()))) {
                return;
            }
        }
        throw new BadJOSEException("no key verifies");
    }
}
