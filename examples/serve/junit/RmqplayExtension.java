import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A RabbitMQ for each test, simulated by {@code rmqplay serve}: there in milliseconds, and a week passes at a word.
 *
 * <pre>
 * &#64;RegisterExtension
 * RmqplayExtension broker = new RmqplayExtension();
 *
 * &#64;Test
 * void lateOrders() {
 *     factory.setUri(broker.url());
 *     ...
 *     broker.advance("7d");
 * }
 * </pre>
 *
 * RMQPLAY names the program, RMQPLAY_BROKER the version (sim:3.13). {@code new RmqplayExtension("topologies/orders.yaml")} begins
 * with topologies.
 */
public final class RmqplayExtension implements BeforeEachCallback, AfterEachCallback {
    private final String[] topologies;
    private Process process;
    private Path ready;
    private String url;
    private String control;

    public RmqplayExtension(String... topologies) {
        this.topologies = topologies;
    }

    /** For any AMQP client. */
    public String url() {
        return url;
    }

    /** Lets time pass; returns when all that happens until then is done, and fails when a client keeps a delivery. */
    public void advance(String by) throws IOException, InterruptedException {
        String job = ask("/clock/advance", "{\"by\": \"" + by + "\"}");
        String number = field(job, "job");
        while ("running".equals(field(job, "state"))) {
            Thread.sleep(5);
            job = ask("/clock/jobs/" + number, null);
        }
        if (!"done".equals(field(job, "state"))) throw new AssertionError("the clock is stuck: " + job);
    }

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        ready = Files.createTempDirectory("rmqplay-").resolve("ready.json");
        List<String> words = new ArrayList<>(List.of(setting("RMQPLAY", "rmqplay"), "serve"));
        words.addAll(List.of(topologies));
        words.addAll(List.of("--broker", setting("RMQPLAY_BROKER", "sim"), "--listen", "127.0.0.1:0", "--clock", "manual"));
        words.addAll(List.of("--settle", "5ms", "--ready-file", ready.toString(), "--quiet"));
        process = new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10); !Files.exists(ready); Thread.sleep(2)) {
            if (!process.isAlive() || System.nanoTime() > end) throw new IOException("rmqplay serve does not come up");
        }
        String told = Files.readString(ready);
        Matcher place = Pattern.compile("\"amqp://([^\"]*)\"").matcher(told);
        if (!place.find()) throw new IOException(told);
        url = "amqp://guest:guest@" + place.group(1) + "/%2F";
        control = field(told, "control");
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        process.destroy();
        if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly();
        Files.deleteIfExists(ready);
        Files.deleteIfExists(ready.getParent());
    }

    private String ask(String path, String body) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(control + path));
        if (body != null) request.POST(HttpRequest.BodyPublishers.ofString(body));
        HttpResponse<String> answer = HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() >= 300) throw new IOException(answer.statusCode() + ": " + answer.body());
        return answer.body();
    }

    /** The few fields that are needed are flat: a library for JSON would be more than this. */
    private static String field(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"?([^\",}]*)").matcher(json);
        return found.find() ? found.group(1) : null;
    }

    private static String setting(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }
}
