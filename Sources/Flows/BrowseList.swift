import Mailslot
import SMB
import Wire

extension SMBSession {
    /// NetServerEnum2 (MS-RAP 2.5.5.2), level 0: names of a domain's servers, as a browser has
    /// them in its list.
    ///
    ///     RAPOpcode(2) = 104 | ParamDesc "WrLehDz" | DataDesc "B16" | InfoLevel(2)
    ///     | ReceiveBufferSize(2) | ServerType(4) | Domain
    ///     response: Win32ErrorCode(2) Converter(2) EntriesReturned(2) EntriesAvailable(2)
    ///     | NetServerInfo0: ServerName(16) …
    package func servers(of domain: String) throws(FlowError) -> [String] {
        var request = WireWriter(capacity: 64)
        request.uint16LE(104)
        OEMText("WrLehDz").write(into: &request)
        OEMText("B16").write(into: &request)
        request.uint16LE(0)
        request.uint16LE(Self.receiveBuffer)
        request.uint32LE(0xffff_ffff & ~ServerType.domainEnum.rawValue
            & ~ServerType.localListOnly.rawValue)
        OEMText(domain).write(into: &request)
        let answer = try administer(request.finish(), maxDataCount: Self.receiveBuffer)
        let count: Int
        do throws(WireError) {
            var reader = WireReader(answer.parameters.span, layer: "RAP")
            let code = try reader.uint16LE("Win32ErrorCode")
            _ = try reader.uint16LE("Converter")
            count = Int(try reader.uint16LE("EntriesReturned"))
            // More data than fits is no fault: what fits is enough.
            if code != 0, code != Self.moreData {
                throw reader.invalid("Win32ErrorCode", Int(code))
            }
            return try Self.names(answer.data, count)
        } catch {
            throw dialogue.malformed(error)
        }
    }

    private static var receiveBuffer: UInt16 { 4_096 }
    private static var moreData: UInt16 { 234 }
    private static var nameLength: Int { 16 }

    /// A list that announces more names than it brings is refused.
    private static func names(_ data: [UInt8], _ count: Int) throws(WireError) -> [String] {
        var reader = WireReader(data.span, layer: "RAP")
        var names: [String] = []
        for _ in 0..<count {
            let range = try reader.take(nameLength, "ServerName")
            var part = reader.part(range)
            let text = reader.copy(try part.take(through: 0, "ServerName"))
            names.append(String(decoding: text, as: UTF8.self))
        }
        return names
    }
}
