import Mailslot
import SMB
import Wire

extension SMBSession {
    /// NetServerEnum2 (MS-RAP 2.5.5.2), level 0: names of a domain's servers, as a browser has
    /// them in its list.
    package func servers(of domain: String) throws(FlowError) -> [String] {
        var request = WireWriter(capacity: 64)
        RAP.Request.serverEnum2(
            level: 0, receiveBufferSize: Self.receiveBuffer,
            serverType: ~(ServerType.domainEnum.rawValue | ServerType.localListOnly.rawValue),
            domain: domain
        ).write(into: &request)
        let answer = try administer(request.finish(), maxDataCount: Self.receiveBuffer)
        do throws(WireError) {
            var reader = WireReader(answer.parameters.span, layer: "RAP")
            let response = try RAP.Response(parsing: &reader)
            // More servers than fit are no fault: those that fit are enough.
            if response.win32ErrorCode != .success, response.win32ErrorCode != .moreData {
                throw reader.invalid(
                    "Win32ErrorCode", Int(response.win32ErrorCode.rawValue))
            }
            return try RAP.ServerInfo.list(answer.data.span, response, level: 0)
                .map { $0.serverName }
        } catch {
            throw dialogue.malformed(error)
        }
    }

    private static var receiveBuffer: UInt16 { 4_096 }
}
