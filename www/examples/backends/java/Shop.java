// A shop's backend in Java, with the JDK alone. It creates an order, and learns from a signed webhook that the order
// is paid.
//
//   KEY=… WEBHOOK_SECRET=whsec_… java Shop.java
//
// Then open http://127.0.0.1:8001/ . MERCHANT_SERVER and PORT name other addresses.
// SHOP in a comment marks a part that a real shop replaces with its own. Java 17 or newer.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Shop {
    static final String MERCHANT_SERVER = variable("MERCHANT_SERVER", "http://127.0.0.1:8080");
    static final String KEY = variable("KEY", null);
    static final String WEBHOOK_SECRET = variable("WEBHOOK_SECRET", null);
    static final HttpClient HTTP = HttpClient.newHttpClient();
    /** SHOP: your table of orders. It has for each order number whether the order is paid. */
    static final Map<String, Boolean> ORDERS = new ConcurrentHashMap<>();

    public static void main(String[] arguments) throws IOException {
        var address = new InetSocketAddress("127.0.0.1", Integer.parseInt(variable("PORT", "8001")));
        var server = HttpServer.create(address, 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", Shop::serve);
        server.start();
        System.out.println("http://127.0.0.1:" + address.getPort() + "/");
    }

    record Order(String orderNo, String token) {}

    /** Creates an order. Its price comes from the shop and never from a browser. */
    static Order createOrder() throws IOException, InterruptedException {
        var orderNo = "JAVA-" + UUID.randomUUID().toString().substring(0, 18);
        var body = """
            {"order_no": "%s", "total_fen": 6910, "description": "云南小粒咖啡"}""".formatted(orderNo);
        var request = HttpRequest.newBuilder(URI.create(MERCHANT_SERVER + "/v1/orders"))
            .header("Authorization", "Bearer " + KEY)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body)).build();
        var response = HTTP.send(request, BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) throw new IOException(response.body());
        var token = field("token", response.body());
        ORDERS.put(orderNo, false);
        return new Order(orderNo, token);
    }

    /** Checks that the merchant server signed these bytes within the last minutes (Standard Webhooks). */
    static boolean isSigned(String id, String timestamp, String signatures, byte[] body) throws GeneralSecurityException {
        if (id == null || signatures == null || timestamp == null || !timestamp.matches("[0-9]{1,12}")) return false;
        if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(timestamp)) > 300) return false;
        var mac = Mac.getInstance("HmacSHA256");
        var secret = Base64.getDecoder().decode(WEBHOOK_SECRET.substring("whsec_".length()));
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        var signature = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body))).getBytes(StandardCharsets.UTF_8);
        // While a secret is changed, there are two signatures, with a blank between them.
        for (var given : signatures.split(" ")) {
            if (MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), signature)) return true;
        }
        return false;
    }

    /** Takes a message of the merchant server's. The body must be as it came: a signature covers its bytes. */
    static void receive(byte[] body) {
        var message = new String(body, StandardCharsets.UTF_8);
        if ("payment.succeeded".equals(field("type", message))) {
            // A message can come twice, and an order is delivered once.
            var isNew = ORDERS.replace(field("order_no", message), false, true);
            if (isNew) System.out.println("deliver " + field("order_no", message)); // SHOP: deliver the order here.
        }
    }

    static void serve(HttpExchange exchange) throws IOException {
        var path = exchange.getRequestURI().getPath();
        var orderNo = path.startsWith("/orders/") ? path.substring("/orders/".length()) : "";
        var isPaid = ORDERS.get(orderNo);
        try {
            switch (exchange.getRequestMethod() + " " + path) {
                case "POST /webhooks" -> {
                    var body = exchange.getRequestBody().readAllBytes();
                    var header = exchange.getRequestHeaders();
                    var isSigned = isSigned(header.getFirst("webhook-id"), header.getFirst("webhook-timestamp"),
                        header.getFirst("webhook-signature"), body);
                    if (isSigned) receive(body);
                    answer(exchange, isSigned ? 204 : 401, "text/plain", "");
                }
                case "POST /orders" -> {
                    var order = createOrder();
                    answer(exchange, 201, "application/json", """
                        {"order_no": "%s", "token": "%s", "merchant_api": "%s/v1"}"""
                        .formatted(order.orderNo(), order.token(), MERCHANT_SERVER));
                }
                case "GET /" -> {
                    // SHOP: your own page. Here each visit creates an order.
                    var page = Files.readString(Path.of("../../html/index.html"))
                        .replace("TOKEN", createOrder().token()).replace("https://pay.shop.example", MERCHANT_SERVER);
                    answer(exchange, 200, "text/html; charset=utf-8", page);
                }
                default -> answer(exchange, isPaid == null ? 404 : 200, "application/json", isPaid == null
                    ? "{\"error\": \"no such page\"}"
                    : "{\"order_no\": \"%s\", \"paid\": %s}".formatted(orderNo, isPaid));
            }
        } catch (Exception fault) {
            fault.printStackTrace();
            answer(exchange, 502, "application/json", "{\"error\": \"the order could not be created\"}");
        }
    }

    static void answer(HttpExchange exchange, int status, String type, String text) throws IOException {
        var body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) exchange.getResponseBody().write(body);
        exchange.close();
    }

    /** A text field of JSON. SHOP: your JSON library, such as Jackson; the JDK has none. */
    static String field(String name, String json) {
        var found = Pattern.compile('"' + name + "\"\\s*:\\s*\"([^\"\\\\]*)\"").matcher(json);
        if (!found.find()) throw new IllegalArgumentException("no " + name + " in the JSON");
        return found.group(1);
    }

    /** A variable of the environment. Without a default the variable is required. */
    static String variable(String name, String otherwise) {
        var value = System.getenv(name);
        if (value != null && !value.isEmpty()) return value;
        if (otherwise != null) return otherwise;
        System.err.println(name + " is not set");
        System.exit(1);
        return null;
    }
}
