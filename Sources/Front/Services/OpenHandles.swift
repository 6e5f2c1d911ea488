import Interfaces
import RPC
import Wire

extension RemoteCaller {
    /// Keeps `object` under a new handle, or nil where too many are held already.
    func open(
        _ object: AnyObject, attributes: UInt32 = 0, random: (Int) -> [UInt8]
    ) -> ContextHandle? {
        if handles.isFull { return nil }
        let bytes = random(16)
        var reader = WireReader(bytes.span, layer: "handle")
        guard let uuid = try? GUID(parsing: &reader), uuid != .zero else { return nil }
        let handle = ContextHandle(attributes: attributes, uuid: uuid)
        self[handle] = object
        return handle
    }
}

extension ServiceReply {
    static func stub(_ response: some NDRMessage) -> ServiceReply {
        var stub = NDRWriter()
        response.write(into: &stub)
        return .response(stub.wire.finish())
    }
}
